"""Whatever a server answers, a run ends as documented: no other exception, no hang, nothing booked twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.accounting.booking import Entry, EntryLine
from adapters.accounting.contract import BookingAccounts
from adapters.accounting.registry import open_system, registered
from adapters.connection import ExportConnection
from adapters.pleo.client import PleoClient
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.retry import RetryPolicy
from flows.report import RunReport
from flows.session import Session
from tests.machine.driving import drive
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.filed_books import FiledBooks
from tests.support.spoiling_proxy import Spoiling, SpoilingProxy, spoilings
from tests.support.spoilt_booking import GRACE, booked

QUICK = RetryPolicy(attempts=2, budget=1.0, first_wait=0.002, longest_wait=0.01)
DEADLINE = 5.0

few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books of Pleo")


@pytest.fixture(scope="module")
def before_pleo(pleo: EmbeddedPleo) -> Iterator[SpoilingProxy]:
    with SpoilingProxy(pleo.base_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def before_fava(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpoilingProxy]:
    ledger = tmp_path_factory.mktemp("books") / "books.beancount"
    ledger.write_text(ledger_text())
    with FavaServer(ledger) as fava, SpoilingProxy(fava.origin) as proxy:
        yield proxy


def exported(pleo: EmbeddedPleo, proxy: SpoilingProxy, folder: Path, spoiling: Spoiling) -> None:
    """Export a job past spoilt answers, then past healthy ones, which end it."""
    pleo.reset()
    pleo.create_job(items=3)
    books = FiledBooks(folder / f"{uuid4()}.jsonl")
    connection = ExportConnection.model_validate(
        {
            "company_id": pleo.company_id,
            "pleo": {"base_url": proxy.origin, "api_key": pleo.api_key, "call_deadline_seconds": DEADLINE},
            "accounting": {"system": "faulty"},
            "accounts": {"out_of_pocket": "Liabilities:Employees", "contra": "Assets:Bank"},
        }
    )

    async def run() -> None:
        async with PleoClient(connection.pleo, connection.company_id, policy=QUICK) as client:
            await drive(Session(connection, client, books, RunReport()))

    for each in (spoiling, None):
        proxy.begin(each)
        begun = time.monotonic()
        asyncio.run(run())
        assert time.monotonic() - begun < GRACE
    assert len(set(books.references)) == len(books.references) <= 3
    assert pleo.jobs()[0]["status"] in {"completed", "completed_with_errors", "failed"}


@few
@given(spoiling=spoilings)
def test_answers_of_pleo(
    pleo: EmbeddedPleo,
    before_pleo: SpoilingProxy,
    folder: Path,
    spoiling: Spoiling,
) -> None:
    exported(pleo, before_pleo, folder, spoiling)


@pytest.mark.long
@pytest.mark.timeout(900)
@many
@given(spoiling=spoilings)
def test_more_answers_of_pleo(
    pleo: EmbeddedPleo,
    before_pleo: SpoilingProxy,
    folder: Path,
    spoiling: Spoiling,
) -> None:
    exported(pleo, before_pleo, folder, spoiling)


def an_entry(reference: UUID) -> Entry:
    lines = (EntryLine("Expenses:Travel", 4250), EntryLine("Assets:Pleo", -4250))
    return Entry(reference, dt.date(2024, 3, 1), "EUR", "Payee", "Trip", lines)


async def booked_in_fava(proxy: SpoilingProxy, spoiling: Spoiling) -> None:
    form = registered()["fava"].Settings
    given_settings = form.model_validate({"system": "fava", "url": f"{proxy.origin}/{SLUG}"})
    proxy.begin(spoiling)
    system = open_system(given_settings, accounts=BookingAccounts(wallet="Assets:Pleo"), deadline=DEADLINE)
    try:
        await booked(system, proxy, spoiling, an_entry(uuid4()), DEADLINE)
    finally:
        await system.aclose()


@few
@given(spoiling=spoilings)
def test_answers_of_fava(before_fava: SpoilingProxy, spoiling: Spoiling) -> None:
    asyncio.run(booked_in_fava(before_fava, spoiling))


@pytest.mark.long
@pytest.mark.timeout(900)
@many
@given(spoiling=spoilings)
def test_more_answers_of_fava(before_fava: SpoilingProxy, spoiling: Spoiling) -> None:
    asyncio.run(booked_in_fava(before_fava, spoiling))
