"""The receiver as a process beside a test, and the runs that it started."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from tests.flows.commands import PROGRAM
from tests.support.deliveries import Delivery


@dataclass
class ReceiverProcess:
    process: subprocess.Popen[str]
    log: Path
    base_url: str

    @property
    def url(self) -> str:
        return f"{self.base_url}/webhook"


@contextmanager
def receiver(
    log: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[ReceiverProcess]:
    """`pleo-export webhook` until the block ends, which it must do politely."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            [
                PROGRAM,
                "webhook",
                "--json",
                *(arguments or ()),
                *(("--port", "0") if "--port" not in arguments else ()),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line, log.read_text()
        yield ReceiverProcess(process, log, json.loads(line)["base_url"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
    finally:
        process.kill()
        process.wait(10)


def redeliver(delivery: Delivery, url: str) -> None:
    """Deliver until it is taken, as Pleo does."""
    for _ in range(20):
        if delivery.post(url).status_code == 204:
            return
        time.sleep(0.5)
    raise AssertionError("it was never taken")


def idle_deployment(client: SyncPrefectClient, name: str) -> UUID:
    """A deployment of the flow's name whose runs nobody takes; they stay scheduled."""
    flow_id = client.create_flow_from_name("export-job")
    return client.create_deployment(flow_id=flow_id, name=name)


def runs_of(deployment_id: UUID) -> list[FlowRun]:
    found: list[FlowRun] = []
    with get_client(sync_client=True) as client:
        while page := client.read_flow_runs(
            flow_run_filter=FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id])),
            sort=FlowRunSort.ID_DESC,
            limit=100,
            offset=len(found),
        ):
            found += page
    return found


def only_run(deployment: str, seconds: float) -> FlowRun:
    """The one run of a deployment, once it has ended."""
    end = time.monotonic() + seconds
    with get_client(sync_client=True) as client:
        deployment_id = client.read_deployment_by_name(deployment).id
    while time.monotonic() < end:
        runs = runs_of(deployment_id)
        if runs and all(run.state and run.state.is_final() for run in runs):
            (run,) = runs
            return run
        time.sleep(0.3)
    raise AssertionError(f"no run of {deployment} ended within {seconds} s")
