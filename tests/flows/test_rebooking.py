"""Booking once more on purpose (U13): once a job, also where its run broke off, and never by default."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from adapters.pleo.sandbox.receipts import MEDIA_TYPES, link
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.run import exit_code
from flows.item_rows import item_rows
from flows.report import RunReport
from tests.flows.exports import Export, entries, events, links, make_job, statuses
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

UPDATE = "updateExportJobItems"


def once_more(pleo: EmbeddedPleo, job_id: str, new: int = 0, **fields: Any) -> str:
    """A later job with the entries of an earlier one, and some new ones."""
    known = entries(pleo, job_id)
    overrides = {str(n): {"accountingEntryId": entry, **fields} for n, entry in enumerate(known, 1)}
    return make_job(pleo, len(known) + new, overrides=overrides)


def own(fava: FavaServer) -> list[str]:
    """References that entries were booked under, without those that say what was rebooked."""
    return [each for each in links(fava) if not each.startswith("again-")]


def ids(pleo: EmbeddedPleo, job_id: str) -> dict[str, str]:
    return {item["accountingEntryId"]: item["externalId"] for item in pleo.job(job_id)["items"]}


def results(report: RunReport) -> list[str]:
    return sorted(row["result"] for row in item_rows(report.lines))


async def test_entries_are_booked_once_more_when_a_person_says_so(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    first = make_job(pleo, 3)
    await export()
    job_id = once_more(pleo, first, new=1)
    state, report = await export(job_id=job_id, rebook=True)
    assert state.name == "Exported", state.message
    assert "3 of them were in the books before and now are a second time" in (state.message or "")
    assert results(report) == ["booked", "booked again", "booked again", "booked again"]
    warned = {row["item"]: row["warning"] for row in item_rows(report.lines) if row["warning"]}
    assert set(warned) == set(ids(pleo, first))
    assert all(ids(pleo, first)[item] in warning for item, warning in warned.items()), (
        "it names the first one"
    )
    assert statuses(pleo, job_id) == {"successful": 4}
    assert len(own(fava)) == 7
    assert fava.ask("errors") == []
    assert not set(ids(pleo, job_id).values()) & set(ids(pleo, first).values())
    # An export without it reports what is there: the first entry, where there are two.
    later = once_more(pleo, job_id)
    state, report = await export()
    assert state.name == "Exported"
    assert "second time" not in (state.message or "")
    assert results(report) == ["booked before"] * 4
    assert len(own(fava)) == 7
    assert {entry: ids(pleo, later)[entry] for entry in ids(pleo, first)} == ids(pleo, first)


@pytest.mark.slow
async def test_a_run_that_broke_off_does_not_book_a_third_time(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    first = make_job(pleo, 2)
    await export()
    job_id = once_more(pleo, first, new=2)
    pleo.inject(kind="answer", operation=UPDATE, times=None, status=401)
    state, _ = await export(job_id=job_id, rebook=True)
    assert state.type == "FAILED"
    assert statuses(pleo, job_id) == {"pending": 4}
    booked = own(fava)
    assert len(booked) == 6, "two once more, two for the first time"
    state, report = await export(job_id=job_id, rebook=True)
    assert state.type == "FAILED"
    assert results(report) == ["booked before"] * 4
    assert own(fava) == booked
    pleo.clear_faults()
    state, report = await export()  # as the schedule takes it up: without the parameter
    assert state.name == "Exported", state.message
    assert own(fava) == booked
    assert events(pleo, job_id) == ["started", "completed"]
    assert not set(ids(pleo, job_id).values()) & set(ids(pleo, first).values()), "it tells its own entries"


@pytest.mark.slow
async def test_each_job_rebooks_for_itself(pleo: EmbeddedPleo, export: Export, fava: FavaServer) -> None:
    first = make_job(pleo, 1)
    await export()
    for number in (2, 3):
        job_id = once_more(pleo, first)
        assert (await export(job_id=job_id, rebook=True))[0].name == "Exported"
        assert len(own(fava)) == number
    assert exit_code((await export(job_id=job_id, rebook=True))[1]) == 6, "an ended job is left alone"
    assert len(own(fava)) == 3


@pytest.mark.slow
async def test_what_cannot_be_booked_cannot_be_rebooked(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    first = make_job(pleo, 2)
    await export()
    job_id = once_more(pleo, first, type="overdraft")
    state, report = await export(job_id=job_id, rebook=True)
    assert (state.name, results(report)) == ("ExportFailed", ["failed", "failed"])
    assert len(own(fava)) == 2
    again = once_more(pleo, first)
    assert (await export(job_id=again, rebook=True))[0].name == "Exported"
    assert len(own(fava)) == 4


@pytest.mark.slow
async def test_receipts_go_with_the_new_entry(pleo: EmbeddedPleo, export: Export, fava: FavaServer) -> None:
    file = {"type": MEDIA_TYPES["pdf"], "url": link(str(uuid4()), "pdf")}
    first = make_job(pleo, 1, overrides={"1": {"files": [file]}})
    await export()
    job_id = once_more(pleo, first, files=[file])
    assert (await export(job_id=job_id, rebook=True))[0].name == "Exported"
    kept = sorted(path.name for path in (fava.ledger.parent / "documents").rglob("*.pdf"))
    assert len(kept) == 2
    for reference in own(fava):
        assert sum(reference in name for name in kept) == 1


async def test_it_is_never_for_whichever_job_is_the_oldest(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 1)
    state, report = await export(rebook=True)
    assert (state.type, exit_code(report)) == ("FAILED", 2)
    assert "job id" in (state.message or "")
    assert pleo.requests() == []
    assert (await export(job_id=job_id, rebook=True))[0].name == "Exported"
    assert len(own(fava)) == 1
