"""The company's lock after a run that was killed: the schedule gets it when the lease has run out."""

from __future__ import annotations

import time

import pytest

from tests.recovery.harness import SECONDS, Scenario, Stand, ready_of
from tests.recovery.invariants import FINAL_JOB
from tests.recovery.processes import Process, Program
from tests.recovery.scenarios import one
from tests.recovery.wire import Moment, Passed

WITHIN = 120.0
"""Seconds in which the lock must be free: a lease of 60, and what a loaded machine adds."""


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_schedule_waits_for_the_lease_of_a_killed_run(fava_stand: Stand) -> None:
    stand, scenario = fava_stand, Scenario(one)
    recorded = stand.record(scenario)
    job = stand.renew(scenario)
    process = Process(Program.RUN, stand.prefect, stand.environment(scenario), stand.folder)
    stand.wire.listen_anew()
    stand.wire.hold(len(recorded) // 2, Moment.AFTER, process.kill, over=process.over)
    process.begin()
    assert process.wait(SECONDS) < 0
    killed, runs = time.monotonic(), [stand.wire.passed]
    waiting: list[list[Passed]] = []
    while stand.pleo.job(job.id)["status"] not in FINAL_JOB:
        assert time.monotonic() - killed < WITHIN, "nobody freed the lock"
        runs.append(stand.run_once(scenario, Program.WATCH))
        if stand.pleo.job(job.id)["status"] not in FINAL_JOB:
            waiting.append(runs[-1])
    assert waiting, "the run right after the killed one finds the lock taken"
    assert all([str(each) for each in run] == ["pleo GET /v3/export-jobs"] for run in waiting), (
        "whoever waits for the lock only looks"
    )
    assert stand.judge(scenario, job, runs, ready_of(recorded)) == []
