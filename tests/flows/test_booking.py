"""Booking a job into a real Fava when something breaks that nobody foresaw: adapter, disk, Pleo.

Whatever it is, nothing is booked twice, what is booked is found, and the next run brings the job to its end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.accounting.booking import Booked, BookingResult, Entry, Receipt, Refused
from adapters.accounting.fava.adapter import FavaSystem
from adapters.accounting.item_failures import ItemFailureKind
from adapters.environment import load_connection
from adapters.pleo.errors import PleoError
from adapters.pleo.items import fetch_items
from adapters.pleo.sandbox.receipts import MEDIA_TYPES, link
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows import booking
from flows.lines import Line
from flows.planning import plan
from flows.report import RunReport
from flows.reporting import report_missing
from flows.rules.lifecycle import Lifecycle
from flows.session import open_session
from tests.flows.exports import entries, links, make_job, statuses
from tests.support.fava_server import FavaServer

Run = Callable[..., Awaitable[list[Line]]]
Book = Callable[[FavaSystem, Sequence[Entry]], Awaitable[Sequence[BookingResult]]]
CANARY = "CANARY-55d1"
UPDATE = "updateExportJobItems"
REAL_BOOK, REAL_ATTACH = FavaSystem.book, FavaSystem.attach


@pytest.fixture(autouse=True)
def looking_up_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "LOOKING_UP_AGAIN_SECONDS", (0.0, 0.1))


@pytest.fixture
def run(pleo: EmbeddedPleo, connect: Callable[..., None], fava: FavaServer) -> Run:
    """Plan and carry out a job, as a run does once the checks have passed."""

    async def carry_out(job_id: str, **settings: str) -> list[Line]:
        connect(fava.url, ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees", **settings)
        async with open_session(load_connection(), RunReport()) as session:
            session.take(await session.pleo.get_job(UUID(job_id)), Lifecycle())
            fetched = await fetch_items(session.pleo, session.job.id)
            session.lines = await plan(session, fetched)
            seen = []

            async def progress(done: int, total: int) -> None:
                seen.append((done, total))

            await booking.carry_out(session, session.lines, progress)
            assert not session.lines or seen[-1] == (len(session.lines), len(session.lines))
            session.states = await report_missing(session)
            return session.lines

    return carry_out


def running_job(pleo: EmbeddedPleo, items: int, *, with_file: Sequence[int] = (), **order: Any) -> str:
    file = {"type": MEDIA_TYPES["pdf"], "url": ""}
    overrides: dict[str, dict[str, Any]] = {
        str(n): {"files": [{**file, "url": link(str(uuid4()), "pdf")}] if n in with_file else []}
        for n in range(1, items + 1)
    }
    for ordinal, fields in order.pop("overrides", {}).items():
        overrides[ordinal] |= fields
    order = {"types": {"card_purchase": 1}, "status": "in_progress", "allow_second": True, **order}
    return make_job(pleo, items, overrides=overrides, **order)


def kinds(lines: Sequence[Line]) -> list[ItemFailureKind | None]:
    return [line.result.failure.kind if isinstance(line.result, Refused) else None for line in lines]


def documents(fava: FavaServer) -> list[str]:
    return sorted(path.name for path in (fava.ledger.parent / "documents").rglob("*.pdf"))


def once_more(pleo: EmbeddedPleo, job_id: str, **order: Any) -> str:
    """Another job with the entries of the first one that failed."""
    failed = [each["accountingEntryId"] for each in pleo.job(job_id)["items"] if each["status"] == "failed"]
    overrides = {str(n): {"accountingEntryId": entry} for n, entry in enumerate(failed, 1)}
    return running_job(pleo, len(failed), overrides=overrides, **order)


async def books_and_raises(system: FavaSystem, entries: Sequence[Entry]) -> Sequence[BookingResult]:
    await REAL_BOOK(system, entries)
    raise RuntimeError(CANARY)


async def books_half_and_raises(system: FavaSystem, entries: Sequence[Entry]) -> Sequence[BookingResult]:
    await REAL_BOOK(system, entries[: len(entries) // 2])
    raise KeyError(CANARY)


async def forgets_a_result(system: FavaSystem, entries: Sequence[Entry]) -> Sequence[BookingResult]:
    return (await REAL_BOOK(system, entries))[1:]


async def raises(system: FavaSystem, entries: Sequence[Entry]) -> Sequence[BookingResult]:
    raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("book", "booked"),
    [(books_and_raises, 4), (books_half_and_raises, 2), (forgets_a_result, 4), (raises, 0)],
)
async def test_a_defect_in_book_costs_what_is_not_in_the_books_and_no_more(
    pleo: EmbeddedPleo,
    run: Run,
    fava: FavaServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    book: Book,
    booked: int,
) -> None:
    job_id = running_job(pleo, 4)
    with monkeypatch.context() as broken:
        broken.setattr(FavaSystem, "book", book)
        lines = await run(job_id)
    assert len(links(fava)) == booked
    assert {str(line.reference) for line in lines if isinstance(line.result, Booked)} == set(links(fava))
    assert set(kinds(lines)) <= {None, ItemFailureKind.UNEXPECTED}
    counts = {"successful": booked, "failed": 4 - booked}
    assert statuses(pleo, job_id) == {status: n for status, n in counts.items() if n}, "all have a result"
    assert ("unforeseen" in caplog.text) == (book is not forgets_a_result)
    assert CANARY not in caplog.text
    if booked < 4:
        again = once_more(pleo, job_id)
        await run(again)
        assert statuses(pleo, again) == {"successful": 4 - booked}
    assert links(fava) == entries(pleo, job_id), "each of them once"


async def test_a_defect_in_book_of_one_batch_does_not_hold_up_the_next(
    pleo: EmbeddedPleo, run: Run, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = running_job(pleo, 110)
    calls: list[int] = []

    async def first_raises(system: FavaSystem, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        calls.append(len(entries))
        return await (raises if len(calls) == 1 else REAL_BOOK)(system, entries)

    with monkeypatch.context() as broken:
        broken.setattr(FavaSystem, "book", first_raises)
        await run(job_id)
    assert calls == [100, 10]
    assert statuses(pleo, job_id) == {"failed": 100, "successful": 10}
    reports = [len(request["body"]) for request in pleo.requests(operation=UPDATE)]
    assert reports == [100, 10], "each result is told once"
    again = once_more(pleo, job_id)
    await run(again)
    assert statuses(pleo, again) == {"successful": 100}
    assert links(fava) == entries(pleo, job_id)


@pytest.mark.parametrize(("without", "status"), [("fail", "failed"), ("book", "successful")])
async def test_a_defect_in_attach_leaves_the_entry_booked(
    pleo: EmbeddedPleo,
    run: Run,
    fava: FavaServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    without: str,
    status: str,
) -> None:
    async def attach(system: FavaSystem, booked: Booked, receipt: Receipt) -> None:
        raise RuntimeError(CANARY)

    job_id = running_job(pleo, 2, with_file=[1])
    with monkeypatch.context() as broken:
        broken.setattr(FavaSystem, "attach", attach)
        lines = await run(job_id, WITHOUT_RECEIPT=without)
    assert links(fava) == entries(pleo, job_id)
    assert pleo.job(job_id)["items"][0]["status"] == status
    assert pleo.job(job_id)["items"][1]["status"] == "successful"
    failures = [kind for kind in kinds(lines) if kind] + [w.kind for line in lines for w in line.warnings]
    assert failures == [ItemFailureKind.RECEIPT_NOT_UPLOADED]
    assert CANARY not in caplog.text
    entry = pleo.job(job_id)["items"][0]["accountingEntryId"]
    again = running_job(pleo, 1, with_file=[1], overrides={"1": {"accountingEntryId": entry}})
    await run(again)
    assert statuses(pleo, again) == {"successful": 1}
    assert links(fava) == entries(pleo, job_id)
    assert len(documents(fava)) == 1


async def test_a_machine_on_which_no_file_can_be_kept(
    pleo: EmbeddedPleo, run: Run, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = running_job(pleo, 2, with_file=[1])
    with monkeypatch.context() as broken:
        broken.setattr(tempfile, "tempdir", "/nowhere/at/all")
        lines = await run(job_id)
    assert sorted(kinds(lines), key=str) == [None, ItemFailureKind.RECEIPT_NOT_DOWNLOADED]
    assert statuses(pleo, job_id) == {"successful": 1, "failed": 1}
    again = once_more(pleo, job_id, with_file=[1])
    await run(again)
    assert statuses(pleo, again) == {"successful": 1}
    assert len(documents(fava)) == 1
    assert links(fava) == entries(pleo, job_id)


async def test_files_leave_the_disk_as_soon_as_they_are_with_their_entry(
    pleo: EmbeddedPleo, run: Run, fava: FavaServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    lying: list[int] = []

    async def attach(system: FavaSystem, booked: Booked, receipt: Receipt) -> None:
        lying.append(len(on_disk(scratch)))
        await REAL_ATTACH(system, booked, receipt)

    monkeypatch.setattr(FavaSystem, "attach", attach)
    job_id = running_job(pleo, 3, with_file=[1, 2, 3])
    pleo.inject(kind="answer", operation=UPDATE, times=None, status=401)
    with pytest.raises(PleoError):
        await run(job_id)
    assert lying == [3, 2, 1], "each one goes once it is attached"
    pleo.clear_faults()
    lying.clear()
    lines = await run(job_id)
    assert [line.earlier for line in lines] == [True] * 3
    assert lying == [3, 2, 1], "of what was booked before, too"
    assert statuses(pleo, job_id) == {"successful": 3}
    assert len(documents(fava)) == 3
    assert list_of(scratch) == []


def on_disk(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def list_of(folder: Path) -> list[Path]:
    return list(folder.iterdir())
