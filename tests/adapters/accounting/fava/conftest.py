"""Real Favas: one that all tests share, and one for a test that stops it or starts it otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fava_server import FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer


@pytest.fixture(scope="package")
def shared_fava(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FavaServer]:
    ledger = tmp_path_factory.mktemp("shared") / "books.beancount"
    ledger.write_text(ledger_text())
    # Fava's other watcher notices an edit up to some tenths of a second later.
    with FavaServer(ledger, arguments=("--poll-watcher",)) as server:
        yield server


@pytest.fixture
def fava(shared_fava: FavaServer) -> FavaServer:
    """The shared Fava, its folder holding nothing but a ledger without errors."""
    shared_fava.renew(ledger_text())
    return shared_fava


@pytest.fixture
def own_fava(tmp_path: Path) -> Iterator[FavaServer]:
    """A Fava that the test may stop, freeze, or start with other arguments."""
    ledger = tmp_path / "books.beancount"
    ledger.write_text(ledger_text())
    with FavaServer(ledger) as server:
        yield server


@pytest.fixture(scope="package")
def shared_between(shared_fava: FavaServer) -> Iterator[ScriptedServer]:
    with ScriptedServer(upstream=shared_fava.origin) as server:
        yield server


@pytest.fixture
def between(fava: FavaServer, shared_between: ScriptedServer) -> ScriptedServer:
    """What a test puts between the product and the shared Fava."""
    shared_between.forget()
    return shared_between
