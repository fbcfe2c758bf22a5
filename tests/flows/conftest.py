"""What the tests of flows run against: one Prefect server for all, an embedded Pleo and a Fava for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.logging.handlers import APILogHandler

from adapters.environment import PREFIX
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import fava_ledger, free_port, prefect_server
from flows.export_job import export_job
from flows.report import RunReport, collected_report
from tests.conftest import PREFECT_FOLDER, PREFECT_PORT
from tests.flows.commands import Ended, in_process
from tests.flows.exports import BOOKS, Export
from tests.flows.saved import forget_all
from tests.support.fava_server import FavaServer

LEDGER = """\
option "title" "Books"
option "operating_currency" "EUR"
2020-01-01 open Assets:Pleo EUR
2020-01-01 open Expenses:Travel
"""


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[str]:
    with prefect_server(PREFECT_FOLDER / "server", port=PREFECT_PORT) as api:
        yield api
        asyncio.run(APILogHandler.aflush())  # what was logged arrives before the server is gone


@pytest.fixture(autouse=True)
def no_connection_stays_saved(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test saved would be served by the next one's runs, which serve all."""
    yield
    if "prefect_api" in request.fixturenames:
        asyncio.run(forget_all())


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run `pleo-export` with arguments in this process."""
    return partial(in_process, capsys)


@pytest.fixture
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "books.beancount"
    path.write_text(LEDGER)
    return path


@pytest.fixture(scope="session")
def healthy_ledger(ledger_file: Path) -> Iterator[str]:
    with fava_ledger(ledger_file) as address:
        yield address


@pytest.fixture(scope="session")
def read_only_ledger(ledger_file: Path) -> Iterator[str]:
    with fava_ledger(ledger_file, read_only=True) as address:
        yield address


@pytest.fixture
def absent_ledger() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def services() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def connect(pleo: EmbeddedPleo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Put a connection into the environment, from which flows and commands read it."""
    monkeypatch.chdir(tmp_path)

    def apply(ledger: str, **changes: str) -> None:
        settings = {
            "COMPANY_ID": str(pleo.company_id),
            "PLEO__BASE_URL": pleo.base_url,
            "PLEO__API_KEY": pleo.api_key,
            "PLEO__CALL_DEADLINE_SECONDS": "3",
            "PLEO__RETRY_SECONDS": "4",
            "ACCOUNTING__SYSTEM": "fava",
            "ACCOUNTING__URL": ledger,
            "VALIDATION_DEADLINE_SECONDS": "1",
            **changes,
        }
        for name, value in settings.items():
            monkeypatch.setenv(PREFIX + name, value)

    return apply


@pytest.fixture(scope="session")
def shared_fava(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FavaServer]:
    ledger = tmp_path_factory.mktemp("ledger") / "books.beancount"
    ledger.write_text(BOOKS)
    # Fava's other watcher notices an edit up to some tenths of a second later.
    with FavaServer(ledger, arguments=("--poll-watcher",)) as server:
        yield server


@pytest.fixture
def fava(shared_fava: FavaServer) -> FavaServer:
    """A Fava with nothing but empty books, which a test may stop and restart."""
    shared_fava.renew(BOOKS)
    return shared_fava


@pytest.fixture
def export(connect: Callable[..., None], fava: FavaServer) -> Export:
    """Run the flow with a connection to the ledger."""

    async def run(settings: dict[str, str] | None = None, **parameters: Any) -> tuple[State[Any], RunReport]:
        accounts = {"ACCOUNTS__OUT_OF_POCKET": "Liabilities:Employees", "POSTING": "final"}
        connect(fava.url, **accounts, **(settings or {}))
        with collected_report() as report:
            state = await export_job(**parameters, return_state=True)
        return state, report

    return run
