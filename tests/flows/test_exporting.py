"""A whole export against an embedded Pleo and a real Fava: booked once, reported once, completed once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.run import exit_code
from tests.flows.exports import Export, entries, events, links, make_job, statuses
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

UPDATE, EVENT = "updateExportJobItems", "createExportJobEvent"


async def test_every_item_is_booked_and_the_job_completed(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 12)
    state, report = await export()
    assert (state.type, state.name) == ("COMPLETED", "Exported"), state.message
    assert exit_code(report) == 0
    assert pleo.job(job_id)["status"] == "completed"
    assert statuses(pleo, job_id) == {"successful": 12}
    assert links(fava) == entries(pleo, job_id)
    assert fava.ask("errors") == []
    assert events(pleo, job_id) == ["started", "completed"]
    assert all(item["externalId"] for item in pleo.job(job_id)["items"])
    assert [str(move.stage) for move in report.lifecycle.moves][-3:] == [
        "BOOKED", "RESULTS_REPORTED", "COMPLETED",
    ]  # fmt: skip


async def test_an_item_that_cannot_be_booked_does_not_hold_up_the_others(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 5, without_account=[2], overrides={"4": {"type": "overdraft"}})
    state, report = await export()
    assert (state.type, state.name) == ("COMPLETED", "ExportedWithErrors")
    assert exit_code(report) == 5
    assert pleo.job(job_id)["status"] == "completed_with_errors"
    assert statuses(pleo, job_id) == {"successful": 3, "failed": 2}
    assert len(links(fava)) == 3
    reasons = {item["failureReasonType"] for item in pleo.job(job_id)["items"]} - {None}
    assert reasons == {"missing_configuration", "validation_failure"}
    assert pleo.job(job_id)["failureReason"] is None, "reasons go with failed only (C2)"


async def test_a_job_of_which_nothing_can_be_booked_fails(pleo: EmbeddedPleo, export: Export) -> None:
    job_id = make_job(pleo, 2, without_account=[1, 2])
    state, report = await export()
    assert (state.type, state.name) == ("FAILED", "ExportFailed")
    assert str(report.lifecycle.stage) == "JOB_FAILED"
    job = pleo.job(job_id)
    assert (job["status"], job["failureReasonType"]) == ("failed", "missing_configuration")
    make_job(pleo, 2)
    assert (await export())[0].name == "Exported"


async def test_the_same_entries_in_a_later_job_are_reported_and_not_booked_again(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    first = make_job(pleo, 3)
    await export()
    booked = {item["accountingEntryId"]: item["externalId"] for item in pleo.job(first)["items"]}
    again = make_job(pleo, 3, overrides={str(n): {"accountingEntryId": e} for n, e in enumerate(booked, 1)})
    state, _ = await export()
    assert state.name == "Exported"
    assert {item["accountingEntryId"]: item["externalId"] for item in pleo.job(again)["items"]} == booked
    assert links(fava) == sorted(booked)


@pytest.mark.parametrize("kind", ["close", "close_after", "answer"])
async def test_a_report_that_fails_on_the_way_takes_effect_once(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, kind: str
) -> None:
    job_id = make_job(pleo, 4)
    pleo.inject(kind=kind, operation=UPDATE)
    state, _ = await export()
    assert state.name == "Exported", state.message
    assert statuses(pleo, job_id) == {"successful": 4}
    assert links(fava) == entries(pleo, job_id)


async def test_what_was_booked_and_not_reported_is_reported_by_the_next_run(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 4)
    pleo.inject(kind="answer", operation=UPDATE, times=None, status=503)
    state, report = await export()
    assert (state.type, state.name) == ("FAILED", "ExportFailed")
    assert "next run" in (state.message or "")
    assert exit_code(report) == 4
    assert pleo.job(job_id)["status"] == "in_progress"
    assert len(links(fava)) == 4
    pleo.clear_faults()
    state, _ = await export()
    assert state.name == "Exported"
    assert links(fava) == entries(pleo, job_id), "nothing was booked again"
    assert events(pleo, job_id) == ["started", "completed"]


async def test_a_job_that_is_cancelled_meanwhile_gets_no_terminal_event(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 2)
    pleo.inject(kind="answer", operation=UPDATE, status=422, body={"type": "EXPORT_JOB_STATUS_UNPROCESSABLE"})
    state, report = await export()
    assert state.name == "EndedElsewhere"
    assert exit_code(report) == 6
    assert events(pleo, job_id) == ["started"]
    # What was booked is found again, whichever job its entry comes with.
    assert (await export())[0].name == "Exported"
    assert links(fava) == entries(pleo, job_id)


@pytest.mark.parametrize("kind", ["close", "close_after"])
async def test_a_terminal_event_whose_answer_is_lost_takes_effect_once(
    pleo: EmbeddedPleo, export: Export, kind: str
) -> None:
    job_id = make_job(pleo, 2)
    pleo.inject(kind=kind, operation=EVENT, call=2)
    state, _ = await export()
    assert state.name == "Exported"
    assert events(pleo, job_id) == ["started", "completed"]


async def test_a_ledger_that_goes_away_before_anything_is_booked_fails_the_job(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 2)
    pleo.inject(kind="delay", operation="listExportItems", delay_seconds=2.5)
    running = asyncio.create_task(export())
    await asyncio.sleep(1.3)  # the checks are through, the items are under way
    await asyncio.to_thread(fava.stop)
    state, _ = await running
    assert state.type == "FAILED"
    job = pleo.job(job_id)
    assert (job["status"], job["failureReasonType"]) == ("failed", "accounting_system_unreachable")
    await asyncio.to_thread(fava.start)
    make_job(pleo, 2)
    assert (await export())[0].name == "Exported"


async def test_what_a_person_sees_of_an_export(pleo: EmbeddedPleo, export: Export) -> None:
    make_job(pleo, 3, without_account=[1])
    state, report = await export()
    async with get_client() as client:
        artifacts = await client.read_artifacts(
            artifact_filter=ArtifactFilter(
                flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(str(state.state_details.flow_run_id))])
            )
        )
    found = {artifact.key: artifact for artifact in artifacts}
    assert set(found) == {"check-report", "timeline", "items", "progress"}
    table = str(found["items"].data)
    assert "booked" in table
    assert "failed" in table
    assert "provide account" in table
    assert float(str(found["progress"].data)) == 100.0
    assert [line.result is not None for line in report.lines] == [True] * 3
