"""One Prefect, one Pleo and one system of each kind for all cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.recovery.books import Ledger, TrytonBooks
from tests.recovery.harness import Stand
from tests.recovery.wire import Wire
from tests.support.fava_server import FavaServer
from tests.support.kept_folder import kept_folder
from tests.support.prefect_on_postgresql import prefect_on_postgresql
from tests.support.tryton_server import tryton_server


@pytest.fixture(scope="session")
def prefect() -> Iterator[str]:
    """Address of the API."""
    with prefect_on_postgresql() as api:
        yield api


@pytest.fixture(scope="session")
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture(scope="session")
def fava_stand(prefect: str, pleo: EmbeddedPleo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("fava")
    ledger = folder / "ledger" / "books.beancount"
    ledger.parent.mkdir()
    ledger.touch()
    server = FavaServer(ledger)
    books = Ledger(server)
    books.renew()
    with server, Wire(pleo=port_of(pleo), books=books.port) as wire:
        yield Stand(pleo, books, wire, prefect, folder)


@pytest.fixture(scope="session")
def tryton_stand(
    prefect: str,
    pleo: EmbeddedPleo,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stand]:
    kept = kept_folder(pytestconfig, tmp_path_factory, "tryton")
    with tryton_server(kept) as server, server.copy() as database:
        folder = tmp_path_factory.mktemp("tryton-runs")
        books = TrytonBooks(server, database, folder)
        with books, Wire(pleo=port_of(pleo), books=books.port) as wire:
            yield Stand(pleo, books, wire, prefect, folder)


def port_of(pleo: EmbeddedPleo) -> int:
    return int(pleo.base_url.rpartition(":")[2])
