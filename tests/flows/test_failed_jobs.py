"""A run for a job that had failed before it: checked afresh, and exported again where that is wanted."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client

from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.sandbox.settings import SandboxSettings
from flows.commands.run import exit_code
from tests.flows.exports import Export, entries, events, links, make_job
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

slow = functools.partial(pytest.param, marks=pytest.mark.slow)
AGAIN = {"on_failed_job": "export_again"}


@pytest.fixture
def pleo() -> Iterator[EmbeddedPleo]:
    """Pleo whose jobs by order have the accounts of the ledger, those made through the API too."""
    with EmbeddedPleo(settings=SandboxSettings(expense_accounts=("Expenses:Travel",))) as server:
        yield server


@pytest.fixture
async def failed(pleo: EmbeddedPleo, export: Export, absent_ledger: str) -> UUID:
    """Id of a job that was failed for a ledger that was down."""
    job_id = make_job(pleo, 4)
    state, _ = await export({"ACCOUNTING__URL": absent_ledger})
    assert state.name == "ValidationFailed"
    pleo.clear_requests()
    return UUID(job_id)


def written(pleo: EmbeddedPleo) -> list[str]:
    return [f"{each['method']} {each['operation']}" for each in pleo.requests() if each["method"] != "GET"]


def other_job(pleo: EmbeddedPleo, failed: UUID) -> str:
    """The one job beside the failed one."""
    (job,) = [job["id"] for job in pleo.jobs() if job["id"] != str(failed)]
    return str(job)


@pytest.mark.parametrize("order", [{}, AGAIN])
async def test_a_system_that_is_still_down(
    pleo: EmbeddedPleo, export: Export, failed: UUID, absent_ledger: str, order: dict[str, str]
) -> None:
    state, run = await export({"ACCOUNTING__URL": absent_ledger}, job_id=failed, **order)
    assert (state.type, state.name, exit_code(run)) == ("FAILED", "AlreadyFailed", 6)
    assert "accounting_system_unreachable" in state.message, "why Pleo holds it as failed"
    assert "is not ready" in state.message
    assert "Start Fava" in state.message, "what the checks say now"
    assert [outcome.passed for outcome in run.checks] == [False]
    assert written(pleo) == []


async def test_a_system_that_is_up_again(pleo: EmbeddedPleo, export: Export, failed: UUID) -> None:
    state, run = await export(job_id=failed)
    assert (state.type, state.name, exit_code(run)) == ("FAILED", "AlreadyFailed", 6)
    assert "is ready to take entries" in state.message
    assert "export_again" in state.message
    assert [outcome.passed for outcome in run.checks] == [True, True, True]
    assert written(pleo) == []


async def test_exporting_again_makes_one_job_however_often_it_is_ordered(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, failed: UUID
) -> None:
    state, run = await export(job_id=failed, **AGAIN)
    assert (state.name, exit_code(run)) == ("Exported", 0)
    again = other_job(pleo, failed)
    assert str(run.job_id) == again
    assert entries(pleo, again) == entries(pleo, str(failed)) == links(fava)
    assert events(pleo, again) == ["started", "completed"]
    assert pleo.job(again)["isInteractive"] is False

    pleo.clear_requests()
    state, run = await export(job_id=failed, **AGAIN)
    assert (state.type, state.name, exit_code(run)) == ("COMPLETED", "EndedElsewhere", 6)
    assert again in state.message
    assert written(pleo) == []
    assert len(links(fava)) == 4


@pytest.mark.slow
async def test_only_what_the_failed_job_did_not_export_is_exported_again(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    failed = make_job(pleo, 4, status="failed", itemStatuses={"1": "successful", "2": "failed"})
    done = pleo.job(failed)["items"][0]["accountingEntryId"]
    state, _ = await export(job_id=UUID(failed), **AGAIN)
    assert state.name == "Exported"
    assert entries(pleo, other_job(pleo, UUID(failed))) == sorted(set(entries(pleo, failed)) - {done})
    assert done not in links(fava)


@pytest.mark.slow
async def test_an_interrupted_second_job_is_gone_on_with(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, failed: UUID
) -> None:
    state, _ = await export(job_id=failed, fetch_only=True, **AGAIN)
    assert state.name == "ItemsFetched"
    state, run = await export(job_id=failed, **AGAIN)
    assert state.name == "Exported"
    assert str(run.job_id) == other_job(pleo, failed)
    assert written(pleo).count("POST createExportJob") == 1
    assert events(pleo, str(run.job_id)) == ["started", "completed"]
    assert len(links(fava)) == 4


@pytest.mark.slow
async def test_a_second_job_that_failed_too_is_followed_by_a_third(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, failed: UUID, absent_ledger: str
) -> None:
    assert (await export(job_id=failed, fetch_only=True, **AGAIN))[0].name == "ItemsFetched"
    assert (await export({"ACCOUNTING__URL": absent_ledger}))[0].name == "ValidationFailed"
    assert (await export(job_id=failed, **AGAIN))[0].name == "Exported"
    assert len(pleo.jobs()) == 3
    assert len(links(fava)) == 4
    assert (await export(job_id=failed, **AGAIN))[0].name == "EndedElsewhere"
    assert len(pleo.jobs()) == 3


@pytest.mark.slow
async def test_a_second_job_with_errors_is_not_followed_by_a_third(
    pleo: EmbeddedPleo, export: Export, failed: UUID, fava: FavaServer
) -> None:
    wanted = entries(pleo, str(failed))
    other = make_job(pleo, [{"accountingEntryId": each} for each in wanted], without_account=[2])
    assert (await export())[0].name == "ExportedWithErrors"
    state, _ = await export(job_id=failed, **AGAIN)
    assert state.name == "EndedElsewhere"
    assert f"{other} (completed_with_errors)" in state.message
    assert len(pleo.jobs()) == 2


@pytest.mark.slow
async def test_an_unfinished_job_with_other_entries_is_in_the_way(
    pleo: EmbeddedPleo, export: Export, failed: UUID, fava: FavaServer
) -> None:
    other = make_job(pleo, 2)
    state, run = await export(job_id=failed, **AGAIN)
    assert (state.type, state.name, exit_code(run)) == ("FAILED", "AlreadyFailed", 6)
    assert other in state.message
    assert "retry this run" in state.message
    assert pleo.job(other)["status"] == "pending", "nobody asked for that one"
    assert (await export())[0].name == "Exported"
    assert (await export(job_id=failed, **AGAIN))[0].name == "Exported"
    assert len(links(fava)) == 6


@pytest.mark.parametrize(
    ("kind", "posted"),
    [
        ("close_after", 1),
        pytest.param("close", 2, marks=pytest.mark.slow),
        pytest.param("truncate", 1, marks=pytest.mark.slow),
    ],
)
async def test_a_lost_answer_makes_no_second_job(
    pleo: EmbeddedPleo, export: Export, failed: UUID, fava: FavaServer, kind: str, posted: int
) -> None:
    pleo.inject(kind=kind, operation="createExportJob")
    state, _ = await export(job_id=failed, **AGAIN)
    assert state.name == "Exported"
    other_job(pleo, failed)
    assert written(pleo).count("POST createExportJob") == posted
    assert len(links(fava)) == 4


@pytest.mark.slow
async def test_pleo_that_cannot_be_asked_after_a_lost_answer(
    pleo: EmbeddedPleo, export: Export, failed: UUID, fava: FavaServer
) -> None:
    pleo.inject(kind="close_after", operation="createExportJob")
    pleo.inject(kind="answer", operation="listExportJobs", call=2, times=None, status=503)
    state, run = await export(job_id=failed, **AGAIN)
    assert (state.type, state.name, exit_code(run)) == ("FAILED", "ExportFailed", 4)
    pleo.clear_faults()
    assert (await export(job_id=failed, **AGAIN))[0].name == "Exported"
    other_job(pleo, failed)
    assert len(links(fava)) == 4


async def test_a_run_that_found_its_job_itself_is_bound_to_it(
    pleo: EmbeddedPleo, export: Export, absent_ledger: str
) -> None:
    job_id = make_job(pleo, 1)
    state, _ = await export({"ACCOUNTING__URL": absent_ledger}, failure_reporting="specific")
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
    assert run.parameters["job_id"] == job_id
    assert run.parameters["failure_reporting"] == "specific"
