"""`python -m deploy.deployments` and a process worker run every deployment of prefect.yaml to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, FlowRunFilter
from prefect.client.schemas.objects import FlowRun

from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.flows.deploying import CHECKOUT, SECONDS, deploy, worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def run_to_end(client: SyncPrefectClient, deployment: str, **parameters: object) -> FlowRun:
    deployed = client.read_deployment_by_name(deployment)
    run = client.create_flow_run_from_deployment(deployed.id, parameters=parameters)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run = client.read_flow_run(run.id)
        if run.state and run.state.is_final():
            return run
        time.sleep(0.2)
    raise AssertionError(f"{deployment} did not end within {SECONDS} s: {run.state}")


def artifact_keys(client: SyncPrefectClient, run: FlowRun) -> set[str | None]:
    found = client.read_artifacts(
        artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
    )
    return {artifact.key for artifact in found}


def test_the_deployments_run_to_their_end(
    prefect_api: str, pleo: EmbeddedPleo, connect: Callable[..., None], healthy_ledger: str, tmp_path: Path
) -> None:
    connect(healthy_ledger, WITHOUT_RECEIPT="book")
    deploy()
    job_id = pleo.create_job(
        items=3, accounts=["Expenses:Travel"], contra_account="Assets:Pleo", types={"card_purchase": 1}
    )
    with worker(tmp_path / "worker.log"), get_client(sync_client=True) as client:
        checked = run_to_end(client, "check-connection/check-connection")
        assert checked.state and (checked.state.type, checked.state.name) == ("COMPLETED", "Ready")
        assert artifact_keys(client, checked) == {"check-report"}

        watched = run_to_end(client, "watch-exports/watch-exports", fetch_only=True)
        assert watched.state and watched.state.name == "ItemsFetched", watched.state
        assert pleo.job(job_id)["status"] == "in_progress"
        child = next(
            run
            for run in client.read_flow_runs(flow_run_filter=FlowRunFilter())
            if run.name == f"{pleo.company_id} {job_id}"
        )
        assert child.state and child.state.name == "ItemsFetched"
        assert artifact_keys(client, child) == {"check-report", "timeline"}

        exported = run_to_end(client, "export-job/export-job", fetch_only=True, failure_reporting="specific")
        assert exported.state and exported.state.name == "ItemsFetched", exported.state
        assert exported.name == f"{pleo.company_id} {job_id}", "named after the job that was found"
        assert artifact_keys(client, exported) == {"check-report", "timeline"}

        booked = run_to_end(client, "export-job/export-job")
        assert booked.state and booked.state.name == "Exported", booked.state
        assert artifact_keys(client, booked) == {"check-report", "timeline", "items", "progress"}
    assert pleo.job(job_id)["status"] == "completed"
    events = [event["event"] for event in pleo.job(job_id)["events"]]
    assert events == ["started", "completed"], "the job was started once, and resumed afterwards"


def test_what_is_deployed(prefect_api: str) -> None:
    declared = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]
    assert {entry["name"] for entry in declared} == {"export-job", "watch-exports", "check-connection"}
    deploy()
    assert "is up to date" in deploy(), "once more, as after a new version"
    with get_client(sync_client=True) as client:
        [silent] = client.read_automations_by_name("pleo-export runs without a heartbeat have crashed")
        assert silent.enabled
        for name in ("export-job", "watch-exports"):
            deployed = client.read_deployment_by_name(f"{name}/{name}")
            assert deployed.global_concurrency_limit is None, "no company waits for another one"
        watch = client.read_deployment_by_name("watch-exports/watch-exports")
        assert [s.schedule.interval.total_seconds() for s in watch.schedules if s.active] == [300]
        check = client.read_deployment_by_name("check-connection/check-connection")
        assert [s.schedule.interval.total_seconds() for s in check.schedules if s.active] == [3600]
        form = client.read_deployment_by_name("export-job/export-job").parameter_openapi_schema
    assert form is not None
    fields = form["properties"]
    assert set(fields) == {
        "connection",
        "job_id",
        "failure_reporting",
        "fetch_only",
        "on_failed_job",
        "rebook",
    }
    assert all(field.get("description") for field in fields.values()), "every field of the form is explained"
    assert form["definitions"]["FailureReporting"]["enum"] == ["documented", "specific"], (
        "choices, not free text"
    )
    assert form["definitions"]["OnFailedJob"]["enum"] == ["report", "export_again"]
    assert not [
        name for name in fields if any(word in name for word in ("key", "token", "secret", "password"))
    ]
