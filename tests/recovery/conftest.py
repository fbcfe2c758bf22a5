"""One Prefect, one Pleo and one system of each kind for all cases."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import prefect_server
from flows.commands.tryton_services import create_database
from tests.recovery.books import Ledger, TrytonBooks
from tests.recovery.harness import Stand
from tests.recovery.wire import Wire
from tests.support.fava_server import FavaServer
from tests.support.kept_folder import kept_folder
from tests.support.postgres import own_postgres
from tests.support.tryton_server import tryton_server


@pytest.fixture(scope="session")
def prefect_on_postgresql() -> Iterator[str]:
    """Address of a Prefect that takes runs one right after another; on SQLite each waits two seconds.

    Its files are not in pytest's folder: the next session of pytest shuts PostgreSQL's user out of that.
    """
    name = tempfile.mkdtemp(prefix="pleo-recovery-")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, name, ignore_errors=True)
        folder = Path(name)
        postgres = stack.enter_context(own_postgres(folder / "postgresql"))
        create_database(postgres.address, "prefect")
        url = postgres.address.replace("postgresql://", "postgresql+asyncpg://").replace("@/?", "@/prefect?")
        settings = {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": url,
            # Else a machine that is busy for ten seconds makes it answer 500.
            "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
            "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60",
        }
        yield stack.enter_context(prefect_server(folder / "home", settings))


@pytest.fixture(scope="session")
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture(scope="session")
def fava_stand(
    prefect_on_postgresql: str, pleo: EmbeddedPleo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("fava")
    ledger = folder / "ledger" / "books.beancount"
    ledger.parent.mkdir()
    ledger.touch()
    server = FavaServer(ledger)
    books = Ledger(server)
    books.renew()
    with server, Wire(pleo=port_of(pleo), books=books.port) as wire:
        yield Stand(pleo, books, wire, prefect_on_postgresql, folder)


@pytest.fixture(scope="session")
def tryton_stand(
    prefect_on_postgresql: str,
    pleo: EmbeddedPleo,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stand]:
    kept = kept_folder(pytestconfig, tmp_path_factory, "tryton")
    with tryton_server(kept) as server, server.copy() as database:
        folder = tmp_path_factory.mktemp("tryton-runs")
        books = TrytonBooks(server, database, folder)
        with books, Wire(pleo=port_of(pleo), books=books.port) as wire:
            yield Stand(pleo, books, wire, prefect_on_postgresql, folder)


def port_of(pleo: EmbeddedPleo) -> int:
    return int(pleo.base_url.rpartition(":")[2])
