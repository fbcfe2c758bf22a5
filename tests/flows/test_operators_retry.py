"""`prefect flow-run retry`, Cancel and SIGTERM, with Prefect's own deployments and worker, in each ending.

What Pleo received is asked of the embedded Pleo.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling

from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.sandbox.settings import SandboxSettings
from tests.flows.deploying import deploy, prefect, worker
from tests.flows.exports import entries, events, links, make_job
from tests.support.fava_server import FavaServer

pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]

SECONDS = 240
"""For one step; with a machine to itself it takes some seconds."""


@pytest.fixture
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo(settings=SandboxSettings(expense_accounts=("Expenses:Travel",))) as server:
        yield server


class Operator:
    """Whoever starts, retries and stops runs of the deployments."""

    def __init__(self, client: SyncPrefectClient, worker: subprocess.Popen[bytes]) -> None:
        self.client = client
        self.worker = worker

    def start(self, deployment: str, **parameters: object) -> UUID:
        deployed = self.client.read_deployment_by_name(deployment)
        return self.client.create_flow_run_from_deployment(deployed.id, parameters=parameters).id

    def end_of(self, run_id: UUID) -> FlowRun:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            run = self.client.read_flow_run(run_id)
            if run.state and run.state.is_final():
                return run
            time.sleep(0.2)
        raise AssertionError(f"the run did not end within {SECONDS} s")

    def run(self, deployment: str = "export-job/export-job", **parameters: object) -> FlowRun:
        return self.end_of(self.start(deployment, **parameters))

    def retry(self, run: FlowRun) -> FlowRun:
        prefect("flow-run", "retry", str(run.id), seconds=SECONDS)
        return self.end_of(run.id)


@pytest.fixture(scope="module")
def deployed(prefect_api: str) -> None:
    deploy()
    # Runs of the schedule would take the jobs that these tests leave behind on purpose.
    prefect("deployment", "schedule", "clear", "watch-exports/watch-exports", "--accept-yes")


@pytest.fixture
def operator(
    deployed: None, connect: Callable[..., None], fava: FavaServer, tmp_path: Path
) -> Iterator[Operator]:
    connect(
        fava.url,
        ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees",
        POSTING="final",
        PLEO__CALL_DEADLINE_SECONDS="60",
    )
    with worker(tmp_path / "worker.log") as process, get_client(sync_client=True) as client:
        yield Operator(client, process)


def ending(run: FlowRun) -> tuple[str, str]:
    assert run.state is not None
    return run.state.type.value, run.state.name or ""


def message(run: FlowRun) -> str:
    return (run.state.message if run.state else "") or ""


def written(pleo: EmbeddedPleo) -> int:
    return sum(request["method"] != "GET" for request in pleo.requests())


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def test_a_job_that_failed_and_its_second_job(
    operator: Operator, pleo: EmbeddedPleo, fava: FavaServer
) -> None:
    fava.stop()
    failed = make_job(pleo, 3)
    run = operator.run()
    assert ending(run) == ("FAILED", "ValidationFailed")
    sent = written(pleo)
    run = operator.retry(run)
    assert (ending(run), run.run_count) == (("FAILED", "AlreadyFailed"), 2)
    assert "Start Fava" in message(run)
    fava.start()
    run = operator.retry(run)
    assert ending(run) == ("FAILED", "AlreadyFailed"), "the run is bound to the job that it found"
    assert "is ready to take entries" in message(run), "the check was made afresh"
    assert written(pleo) == sent
    assert len(links(fava)) == 0

    again = operator.run(job_id=failed, on_failed_job="export_again")
    assert ending(again) == ("COMPLETED", "Exported")
    sent = written(pleo)
    again = operator.retry(again)
    assert ending(again) == ("COMPLETED", "EndedElsewhere")
    assert written(pleo) == sent
    assert len(pleo.jobs()) == 2, "no third job"
    assert links(fava) == entries(pleo, failed)


def test_a_failure_that_pleo_could_not_be_told(
    operator: Operator, pleo: EmbeddedPleo, fava: FavaServer
) -> None:
    fava.stop()
    job_id = make_job(pleo, 1)
    pleo.inject(kind="answer", operation="createExportJobEvent", call=2, times=None, status=503)
    run = operator.run()
    assert ending(run) == ("FAILED", "FailureNotReported")
    assert events(pleo, job_id) == ["started"]
    pleo.clear_faults()
    run = operator.retry(run)
    assert ending(run) == ("FAILED", "ValidationFailed")
    assert events(pleo, job_id) == ["started", "failed"]


def test_a_job_that_is_completed(operator: Operator, pleo: EmbeddedPleo, fava: FavaServer) -> None:
    job_id = make_job(pleo, 2)
    run = operator.run()
    assert ending(run) == ("COMPLETED", "Exported")
    following = make_job(pleo, 1)
    sent = written(pleo)
    run = operator.retry(run)
    assert ending(run) == ("COMPLETED", "EndedElsewhere")
    assert written(pleo) == sent
    assert pleo.job(following)["status"] == "pending", "a retry takes its own job, not the next one"
    watch = operator.run("watch-exports/watch-exports")
    assert ending(watch) == ("COMPLETED", "Exported")
    later = make_job(pleo, 1)
    watch = operator.retry(watch)
    assert ending(watch) == ("COMPLETED", "Exported")
    assert later in message(watch), "the watcher looks afresh; no earlier result is repeated"
    assert links(fava) == sorted(entry for job in (job_id, following, later) for entry in entries(pleo, job))


STAGES = {
    "before the items": ("listExportItems", 0),
    "booked, not reported": ("updateExportJobItems", 3),
    "reported, not completed": ("createExportJobEvent", 3),
}


@pytest.mark.parametrize("how", ["SIGTERM", "Cancel"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_is_stopped(
    operator: Operator, pleo: EmbeddedPleo, fava: FavaServer, how: str, stage: str
) -> None:
    operation, booked = STAGES[stage]
    job_id = make_job(pleo, 3)
    call = 2 if operation == "createExportJobEvent" else 1
    pleo.inject(kind="answer", operation=operation, call=call, status=503, delay_seconds=40)
    run_id = operator.start("export-job/export-job")
    wait_for(lambda: any(fault["struck"] for fault in pleo.faults()))
    assert len(links(fava)) == booked
    sent = written(pleo)
    if how == "SIGTERM":
        pid = operator.client.read_flow_run(run_id).infrastructure_pid
        assert pid is not None
        os.kill(int(pid.rpartition(":")[2]), signal.SIGTERM)
    else:
        operator.client.set_flow_run_state(run_id, Cancelling())
    run = operator.end_of(run_id)
    assert run.state is not None
    assert run.state.type.value == ("CRASHED" if how == "SIGTERM" else "CANCELLED")
    assert written(pleo) == sent, "nothing is sent by a run that is stopped"
    assert pleo.job(job_id)["status"] == "in_progress"
    pleo.clear_faults()
    if how == "SIGTERM":
        assert ending(operator.retry(run)) == ("COMPLETED", "Exported")
    else:
        assert ending(operator.run("watch-exports/watch-exports")) == ("COMPLETED", "Exported")
    assert events(pleo, job_id) == ["started", "completed"]
    assert links(fava) == entries(pleo, job_id), "each of them once"


def test_a_run_whose_worker_died_too(
    operator: Operator, pleo: EmbeddedPleo, fava: FavaServer, tmp_path: Path
) -> None:
    deploy()
    job_id = make_job(pleo, 2)
    fault = pleo.inject(kind="answer", operation="updateExportJobItems", status=503, delay_seconds=50)
    run_id = operator.start("export-job/export-job")
    wait_for(lambda: any(fault["struck"] for fault in pleo.faults()))
    pid = operator.client.read_flow_run(run_id).infrastructure_pid
    assert pid is not None
    operator.worker.kill()
    os.kill(int(pid.rpartition(":")[2]), signal.SIGKILL)
    killed_at = time.monotonic()
    pleo.clear_faults(fault)
    run = operator.end_of(run_id)
    assert ending(run)[0] == "CRASHED"
    assert "No heartbeat" in message(run)
    assert time.monotonic() - killed_at < 180
    with worker(tmp_path / "second.log"):
        assert ending(operator.run("watch-exports/watch-exports")) == ("COMPLETED", "Exported")
    assert events(pleo, job_id) == ["started", "completed"]
    assert links(fava) == entries(pleo, job_id)
