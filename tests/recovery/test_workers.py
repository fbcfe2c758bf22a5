"""A run that a Prefect worker has started, when the worker is ended or the run is cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling

from tests.recovery.harness import Scenario, Stand, ready_of
from tests.recovery.invariants import FINAL_JOB
from tests.recovery.processes import Program
from tests.recovery.scenarios import several
from tests.recovery.wire import Moment

CHECKOUT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))
POOL = "pleo-export"
SECONDS = 120.0
OVER_WITHIN = 150.0
"""Seconds in which the job must be over: a lease of 60, two waits of 20, and the runs themselves."""

SCENARIO = Scenario(several, Program.WATCH)

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def deployed(fava_stand: Stand) -> Stand:
    """The deployments of prefect.yaml, without the schedule, so that no run comes unasked."""
    prefect(fava_stand, "work-pool", "create", POOL, "--type", "process")
    prefect(fava_stand, "deploy", "--all")
    with SyncPrefectClient(api=fava_stand.prefect) as client:
        watch = client.read_deployment_by_name("watch-exports/watch-exports")
        for schedule in watch.schedules:
            client.delete_deployment_schedule(watch.id, schedule.id)
    return fava_stand


def prefect(stand: Stand, *arguments: str) -> None:
    environment = {**os.environ, "PREFECT_API_URL": stand.prefect}
    subprocess.run(
        [PREFECT, "--no-prompt", *arguments], cwd=CHECKOUT, env=environment, check=True, timeout=SECONDS
    )


@contextmanager
def worker(stand: Stand) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker; at the end it and all that it started are killed."""
    settings = {"PREFECT_API_URL": stand.prefect, "PREFECT_WORKER_QUERY_SECONDS": "0.5"}
    with (stand.folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [PREFECT, "worker", "start", "--pool", POOL],
            cwd=CHECKOUT,
            env={**os.environ, **stand.environment(SCENARIO), **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)


def start_run(stand: Stand) -> UUID:
    with SyncPrefectClient(api=stand.prefect) as client:
        deployment = client.read_deployment_by_name("watch-exports/watch-exports")
        return client.create_flow_run_from_deployment(deployment.id).id


def state_of(stand: Stand, run: UUID) -> StateType | None:
    with SyncPrefectClient(api=stand.prefect) as client:
        state = client.read_flow_run(run).state
        return state.type if state else None


def until(fact: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Wait until it is so; tell whether it became so in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if fact():
            return True
        time.sleep(0.2)
    return False


def disturb(stand: Stand, strike: Callable[[subprocess.Popen[bytes], UUID], None]) -> None:
    """Have a worker take a job, strike at the request that books, and bring the job to its end."""
    recorded = stand.record(SCENARIO)
    books = next(n for n, each in reversed(list(enumerate(recorded, 1))) if each.path.endswith("add_entries"))
    job, struck, over = stand.renew(SCENARIO), threading.Event(), threading.Event()
    stand.wire.listen_anew()
    stand.wire.hold(books, Moment.AFTER, struck.set, over=over)
    with worker(stand) as process:
        run = start_run(stand)
        assert struck.wait(SECONDS), "the worker's run never came to the booking"
        started = psutil.Process(process.pid).children(recursive=True)
        strike(process, run)
        # A run that outlives its worker notices a lost answer, and goes on; one that is ended does not.
        over.set()
        psutil.wait_procs(started, SECONDS)
    left = [each for each in started if each.is_running()]
    for each in left:
        each.kill()
    assert not left, "the run ends, with its worker or by itself"
    runs = [stand.wire.passed]
    began = time.monotonic()
    while stand.pleo.job(job.id)["status"] not in FINAL_JOB:
        assert time.monotonic() - began < OVER_WITHIN, "the job was not brought to its end"
        runs.append(stand.run_once(SCENARIO, Program.WATCH))
    assert stand.judge(SCENARIO, job, runs, ready_of(recorded)) == []


def test_the_worker_is_killed(deployed: Stand) -> None:
    def strike(process: subprocess.Popen[bytes], _run: UUID) -> None:
        process.kill()
        process.wait(SECONDS)

    disturb(deployed, strike)


def test_the_worker_is_terminated(deployed: Stand) -> None:
    def strike(process: subprocess.Popen[bytes], _run: UUID) -> None:
        process.send_signal(signal.SIGTERM)
        time.sleep(2)

    disturb(deployed, strike)


def test_the_run_is_cancelled(deployed: Stand) -> None:
    def strike(_process: subprocess.Popen[bytes], run: UUID) -> None:
        with SyncPrefectClient(api=deployed.prefect) as client:
            client.set_flow_run_state(run, Cancelling())
        assert until(lambda: state_of(deployed, run) is StateType.CANCELLED)

    disturb(deployed, strike)
