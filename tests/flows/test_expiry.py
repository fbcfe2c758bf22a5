"""Jobs whose hour comes to its end while a run works on them, or that were found late (L24-L28, U2, U5)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.sandbox.settings import SandboxSettings
from flows.commands.run import exit_code
from tests.flows.exports import Export, entries, links, make_job, statuses
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

MINUTES = 60


@pytest.fixture
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo(settings=SandboxSettings(expense_accounts=("Expenses:Travel",))) as server:
        yield server


def reports(pleo: EmbeddedPleo) -> list[int]:
    """Number of items in each report of results."""
    return [len(request["body"]) for request in pleo.requests(operation="updateExportJobItems")]


async def test_a_job_found_late_is_saved_by_its_first_item(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 6, status="in_progress", age_seconds=52 * MINUTES)
    state, run = await export()
    assert (state.name, exit_code(run)) == ("Exported", 0)
    assert reports(pleo) == [1, 5], "one item, whose report buys an hour, then the others"
    assert links(fava) == entries(pleo, job_id)


async def test_a_job_found_too_late_is_failed_with_the_reason_and_exported_again(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 3, status="in_progress", age_seconds=56 * MINUTES)
    state, run = await export()
    assert (state.type, state.name, exit_code(run)) == ("FAILED", "ExportFailed", 3)
    job = pleo.job(job_id)
    assert (job["status"], job["failureReasonType"]) == ("failed", "service_timeout")
    assert "Export again" in job["failureReason"]
    assert links(fava) == [], "nothing was begun"
    state, _ = await export(job_id=UUID(job_id), on_failed_job="export_again")
    assert state.name == "Exported"
    assert links(fava) == entries(pleo, job_id)


async def test_what_is_in_the_books_is_reported_first_and_saves_the_job(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    pleo.inject(kind="answer", operation="updateExportJobItems", times=None, status=503)
    first = make_job(pleo, 2)
    assert (await export())[0].name == "ExportFailed"
    assert len(links(fava)) == 2
    pleo.clear_faults()
    pleo.cancel_job(first)
    items = [{"accountingEntryId": each} for each in entries(pleo, first)]
    job_id = make_job(pleo, [*items, {}, {}], status="in_progress", age_seconds=58 * MINUTES)
    pleo.clear_requests()
    assert (await export())[0].name == "Exported"
    assert reports(pleo) == [2, 2]
    assert links(fava) == entries(pleo, job_id), "each of them once"


@pytest.mark.parametrize(
    ("operation", "call", "booked"),
    [
        ("listExportItems", 1, 0),
        pytest.param("updateExportJobItems", 1, 100, marks=pytest.mark.slow),
        pytest.param("createExportJobEvent", 2, 101, marks=pytest.mark.slow),
        pytest.param("listExportJobItems", 3, 101, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("how", ["expired", pytest.param("canceled", marks=pytest.mark.slow)])
async def test_a_job_that_ends_at_any_call(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, operation: str, call: int, booked: int, how: str
) -> None:
    job_id = make_job(pleo, 101, types={"card_purchase": 1})
    pleo.inject(kind="delay", operation=operation, call=call, delay_seconds=1.5)

    def end_the_job() -> None:
        while not any(fault["struck"] for fault in pleo.faults()):
            time.sleep(0.05)
        if how == "expired":
            pleo.advance(61 * MINUTES)
        else:
            pleo.cancel_job(job_id)

    (state, run), _ = await asyncio.gather(
        export({"WITHOUT_RECEIPT": "book"}), asyncio.to_thread(end_the_job)
    )
    assert (state.type, state.name, exit_code(run)) == ("CANCELLED", "EndedElsewhere", 6)
    reason = {"expired": "job_expired", "canceled": "canceled_by_user"}[how]
    assert reason in state.message
    assert pleo.job(job_id)["failureReasonType"] == reason
    assert [event["event"] for event in pleo.job(job_id)["events"] if event["answer"] == 202] == ["started"]
    assert len(links(fava)) == booked, "booking stopped at once"

    state, _ = await export({"WITHOUT_RECEIPT": "book"}, **again(job_id))
    if booked == 101 and statuses(pleo, job_id) == {"successful": 101}:
        assert state.name == "EndedElsewhere", "every item is exported"
    else:
        assert state.name == "Exported"
    assert links(fava) == entries(pleo, job_id), "what was booked is found again"


def again(job_id: str) -> dict[str, Any]:
    return {"job_id": UUID(job_id), "on_failed_job": "export_again"}
