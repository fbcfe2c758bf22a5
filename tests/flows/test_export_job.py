"""The flow `export-job` against an embedded Pleo and a real Fava ledger, up to the fetched items."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import State

from adapters.accounting.failures import FailureReporting
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import fava_ledger, free_port
from flows.commands.run import exit_code
from flows.export_job import export_job
from flows.report import RunReport, collected_report
from flows.watch_exports import watch_exports

pytestmark = pytest.mark.usefixtures("prefect_api")

Connect = Callable[..., None]
DOCUMENTED = ("accounting_system_unreachable", "Failed to reach the Accounting System.")
EVENTS, ITEMS, EXPORT_ITEMS = "/v3/export-job-events", "/items", "/v3/export-items"


async def run(**parameters: Any) -> tuple[State[Any], RunReport]:
    with collected_report() as report:
        state = await export_job(**{"fetch_only": True, **parameters}, return_state=True)
    return state, report


def asked(pleo: EmbeddedPleo) -> list[str]:
    """What Pleo was asked, in order: `GET /path`, and for events which one."""
    lines = []
    for request in pleo.requests():
        body = request.get("body")
        event = f" {body['event']}" if request["path"] == EVENTS and isinstance(body, dict) else ""
        lines.append(f"{request['method']} {request['path']}{event}")
    return lines


def stages(report: RunReport) -> list[str]:
    assert report.lifecycle is not None
    return [str(move.stage) for move in report.lifecycle.moves]


def reason(pleo: EmbeddedPleo, job_id: str) -> tuple[str, str]:
    job = pleo.job(job_id)
    assert job["status"] == "failed"
    return job["failureReasonType"], job["failureReason"]


async def test_a_healthy_system(pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=250)
    state, report = await run()
    assert (state.type, state.name) == ("COMPLETED", "ItemsFetched")
    assert stages(report) == [
        "DETECTED", "STARTED", "REACHABLE", "AUTHENTICATED", "WRITABLE", "ITEMS_FETCHED",
    ]  # fmt: skip
    assert report.items == {"fetched": 250}
    assert pleo.job(job_id)["status"] == "in_progress"
    assert exit_code(report) == 0
    assert asked(pleo) == [
        "GET /v3/export-jobs",
        f"POST {EVENTS} started",
        *[f"GET /v3/export-jobs/{job_id}/items"] * 3,
        *[f"GET {EXPORT_ITEMS}"] * 3,
    ]


@pytest.mark.parametrize("ledger", ["read_only_ledger", "absent_ledger"])
@pytest.mark.parametrize("reporting", [None, *FailureReporting])
async def test_a_failed_check_ends_the_job_and_the_next_job_succeeds(
    pleo: EmbeddedPleo,
    connect: Connect,
    healthy_ledger: str,
    ledger: str,
    reporting: FailureReporting | None,
    request: pytest.FixtureRequest,
) -> None:
    connect(request.getfixturevalue(ledger))
    job_id = pleo.create_job(items=3)
    state, report = await run(failure_reporting=reporting)
    assert (state.type, state.name) == ("FAILED", "ValidationFailed")
    assert stages(report)[-2:] == ["VALIDATION_FAILED", "FAILURE_REPORTED"]
    assert exit_code(report) == 3
    # The next request to Pleo after the failed check is the one event; nobody asked for items.
    assert asked(pleo) == ["GET /v3/export-jobs", f"POST {EVENTS} started", f"POST {EVENTS} failed"]
    if reporting is not FailureReporting.SPECIFIC:
        assert reason(pleo, job_id) == DOCUMENTED
    else:
        kind, text = reason(pleo, job_id)
        assert kind == (
            "validation_failure" if ledger == "read_only_ledger" else "accounting_system_unreachable"
        )
        assert "then export again" in text
    assert report.failure is not None
    assert report.failure.cause in (state.message or "")
    assert report.failure.remedy in (state.message or "")

    connect(healthy_ledger)
    pleo.create_job(items=3)
    state, _ = await run()
    assert state.name == "ItemsFetched"


async def test_no_job_is_a_quiet_success(pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str) -> None:
    connect(healthy_ledger)
    state, report = await run()
    assert (state.type, state.name) == ("COMPLETED", "NothingToExport")
    assert exit_code(report) == 0
    assert asked(pleo) == ["GET /v3/export-jobs"]


async def test_an_interrupted_job_is_resumed_and_not_started_again(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=3)
    await run()
    state, report = await run()
    assert state.name == "ItemsFetched"
    assert str(report.job_id) == job_id
    assert asked(pleo).count(f"POST {EVENTS} started") == 1
    assert "not started again" in report.lifecycle.moves[1].note if report.lifecycle else False


async def test_a_wrong_setting_ends_the_run_before_any_request(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger, CHECK_DEADLINE_SECONDS="soon")
    state, _ = await run()
    assert (state.type, state.name) == ("FAILED", "ExportFailed")
    assert "PLEO_EXPORT_CHECK_DEADLINE_SECONDS" in (state.message or "")
    assert asked(pleo) == []


@pytest.mark.parametrize("reporting", FailureReporting)
async def test_a_job_of_another_company(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, reporting: FailureReporting
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=1, company_id=str(uuid4()))
    state, _ = await run()
    assert state.name == "NothingToExport", "detection keeps to the connection's company"
    state, _ = await run(job_id=UUID(job_id), failure_reporting=reporting)
    assert state.name == "ValidationFailed"
    assert reason(pleo, job_id)[0] == "invalid_configuration"


async def test_vendor_based_bookkeeping_is_refused_where_it_is_not_supported(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=1, vendor_based_bookkeeping=True)
    state, _ = await run()
    assert state.name == "ValidationFailed"
    assert reason(pleo, job_id)[0] == "invalid_configuration"
    assert f"GET {EXPORT_ITEMS}" not in asked(pleo)


async def test_a_configured_account_that_does_not_exist(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger, ACCOUNTS__WALLET="Assets:Nowhere")
    job_id = pleo.create_job(items=1)
    state, _ = await run()
    assert state.name == "ValidationFailed"
    kind, text = reason(pleo, job_id)
    assert kind == "missing_configuration"
    assert "Assets:Nowhere" in text
    connect(healthy_ledger, ACCOUNTS__WALLET="Assets:Pleo")
    pleo.create_job(items=1)
    assert (await run())[0].name == "ItemsFetched"


async def test_a_job_that_failed_before(
    pleo: EmbeddedPleo, connect: Connect, absent_ledger: str, healthy_ledger: str
) -> None:
    connect(absent_ledger)
    job_id = pleo.create_job(items=1)
    await run()
    connect(healthy_ledger)
    before = len(asked(pleo))
    state, report = await run(job_id=UUID(job_id))
    assert (state.type, state.name) == ("FAILED", "AlreadyFailed")
    assert exit_code(report) == 6
    assert stages(report) == ["DETECTED", "ENDED_ELSEWHERE"]
    assert [outcome.passed for outcome in report.checks] == [True, True, True], "checked afresh"
    assert asked(pleo)[before:] == [f"GET /v3/export-jobs/{job_id}"], "nothing but a look"


async def test_a_job_that_is_cancelled_while_the_checks_run(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=1)
    pleo.inject(
        {
            "kind": "answer",
            "operation": "listExportJobItems",
            "status": 422,
            "body": {"type": "EXPORT_JOB_STATUS_UNPROCESSABLE"},
        }
    )
    state, report = await run()
    # The injected answer is what a cancelled job gives; Pleo itself still holds it as in progress.
    assert state.name == "EndedElsewhere"
    assert stages(report)[-1] == "ENDED_ELSEWHERE"
    assert exit_code(report) == 6
    assert asked(pleo)[-1] == f"GET /v3/export-jobs/{job_id}", "no terminal event is sent"


async def test_missing_contra_accounts_fail_the_job_with_pleos_own_words(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=1)
    pleo.inject(
        {
            "kind": "answer",
            "operation": "listExportItems",
            "status": 400,
            "body": {"type": "missing_contra_accounts", "message": "No contra account is set for USD."},
        }
    )
    state, _ = await run()
    assert state.name == "ExportFailed"
    kind, text = reason(pleo, job_id)
    assert kind == "missing_configuration"
    assert "No contra account is set for USD." in text


async def test_pleo_that_cannot_be_told_is_told_by_the_next_run(
    pleo: EmbeddedPleo, connect: Connect, absent_ledger: str
) -> None:
    connect(absent_ledger)
    job_id = pleo.create_job(items=1)
    pleo.inject(
        {"kind": "answer", "operation": "createExportJobEvent", "call": 2, "times": None, "status": 503}
    )
    state, report = await run()
    assert (state.type, state.name) == ("FAILED", "FailureNotReported")
    assert stages(report)[-1] == "FAILURE_NOT_REPORTED"
    assert exit_code(report) == 4
    assert pleo.job(job_id)["status"] == "in_progress"
    pleo.clear_faults()
    state, _ = await run()
    assert state.name == "ValidationFailed"
    assert reason(pleo, job_id) == DOCUMENTED


@pytest.mark.parametrize("event", ["started", "failed"])
async def test_an_event_whose_answer_is_lost_takes_effect_once(
    pleo: EmbeddedPleo, connect: Connect, read_only_ledger: str, event: str
) -> None:
    connect(read_only_ledger)
    job_id = pleo.create_job(items=1)
    call = 1 if event == "started" else 2
    pleo.inject({"kind": "close_after", "operation": "createExportJobEvent", "call": call})
    state, report = await run()
    assert state.name == "ValidationFailed"
    assert stages(report)[-1] == "FAILURE_REPORTED"
    assert reason(pleo, job_id) == DOCUMENTED
    assert asked(pleo).count(f"POST {EVENTS} {event}") == 1
    position = asked(pleo).index(f"POST {EVENTS} {event}")
    assert asked(pleo)[position + 1] == f"GET /v3/export-jobs/{job_id}", "it was read before deciding"


@pytest.mark.parametrize("event", ["started", "failed"])
async def test_an_event_that_did_not_arrive_is_sent_again(
    pleo: EmbeddedPleo, connect: Connect, read_only_ledger: str, event: str
) -> None:
    connect(read_only_ledger)
    job_id = pleo.create_job(items=1)
    call = 1 if event == "started" else 2
    pleo.inject({"kind": "close", "operation": "createExportJobEvent", "call": call})
    state, _ = await run()
    assert state.name == "ValidationFailed"
    assert reason(pleo, job_id) == DOCUMENTED


async def test_a_job_that_someone_else_started_is_left_alone(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=1)
    pleo.inject(
        {
            "kind": "answer",
            "operation": "createExportJobEvent",
            "status": 422,
            "body": {"type": "INVALID_EXPORT_JOB_STATUS_CHANGE"},
        }
    )
    state, report = await run()
    assert state.name == "EndedElsewhere"
    assert stages(report) == ["DETECTED", "NOT_OURS"]
    assert exit_code(report) == 6
    assert asked(pleo)[-1] == f"GET /v3/export-jobs/{job_id}"


async def test_refused_credentials_name_who_must_act(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str
) -> None:
    connect(healthy_ledger, PLEO__API_KEY="CANARY-wrong-key")
    job_id = pleo.create_job(items=1)
    state, report = await run()
    assert (state.type, state.name) == ("FAILED", "ExportFailed")
    assert "Create a new API key in Pleo" in (state.message or "")
    assert "CANARY" not in (state.message or "")
    assert exit_code(report) == 4
    connect(healthy_ledger)
    assert (await run())[0].name == "ItemsFetched"
    assert pleo.job(job_id)["status"] == "in_progress"


async def test_a_ledger_that_comes_back_within_the_deadline_saves_the_export(
    pleo: EmbeddedPleo, connect: Connect, services: ExitStack, ledger_file: Path
) -> None:
    port = free_port()
    connect(f"http://127.0.0.1:{port}", VALIDATION_DEADLINE_SECONDS="30")
    pleo.create_job(items=1)
    flow = asyncio.create_task(run())
    await asyncio.sleep(1.5)
    await asyncio.to_thread(services.enter_context, fava_ledger(ledger_file, port=port))
    state, report = await flow
    assert state.name == "ItemsFetched", state.message
    assert all(outcome.passed for outcome in report.checks)


async def test_what_prefect_keeps_of_a_run(
    pleo: EmbeddedPleo, connect: Connect, read_only_ledger: str
) -> None:
    connect(read_only_ledger)
    job_id = pleo.create_job(items=1)
    state, _ = await run()
    assert state.state_details.flow_run_id is not None
    async with get_client() as client:
        flow_run = await client.read_flow_run(state.state_details.flow_run_id)
        artifacts = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run.id]))
        )
        tasks = await client.read_task_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run.id]))
        )
    assert flow_run.name == f"{pleo.company_id} {job_id}"
    assert {task.name.rpartition("-")[0] for task in tasks} == {
        "start", "check_reachability", "check_auth", "check_writability", "report_failure",
    }  # fmt: skip
    assert {artifact.key for artifact in artifacts} == {"check-report", "timeline"}
    report = next(str(artifact.data) for artifact in artifacts if artifact.key == "check-report")
    assert report.startswith("| check | verdict | time | cause | who mends it | what to do |")
    assert "read-only mode" in report
    kept = f"{flow_run!r}{flow_run.parameters}{artifacts}{tasks}"
    assert pleo.api_key not in kept


async def test_a_later_run_asks_afresh(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, absent_ledger: str
) -> None:
    connect(absent_ledger)
    pleo.create_job(items=1)
    pleo.inject(
        {"kind": "answer", "operation": "createExportJobEvent", "call": 2, "times": None, "status": 503}
    )
    assert (await run())[0].name == "FailureNotReported"
    pleo.clear_faults()
    connect(healthy_ledger)
    state, report = await run()
    assert state.name == "ItemsFetched"
    assert [outcome.passed for outcome in report.checks] == [True, True, True]


async def test_watch_exports_hands_the_oldest_job_on(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, read_only_ledger: str
) -> None:
    connect(healthy_ledger)
    assert (await watch_exports(return_state=True)).name == "NothingToExport"
    job_id = pleo.create_job(items=2)
    state = await watch_exports(fetch_only=True, return_state=True)
    assert (state.type, state.name) == ("COMPLETED", "ItemsFetched")
    assert job_id in (state.message or "")
    connect(read_only_ledger)
    state = await watch_exports(fetch_only=True, return_state=True)
    assert (state.type, state.name) == ("FAILED", "ValidationFailed")
    assert reason(pleo, job_id) == DOCUMENTED
