"""Twenty companies on two workers and two API processes; one of each dies in the middle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from deploy.local_cluster import Cluster, local_cluster
from tests.deploy.fleet import Company, fleet, save_connections

COMPANIES = 20
ITEMS = 3
QUICK = {"PREFECT_WORKER_QUERY_SECONDS": "1"}
LEASE_SECONDS = 60
UNFINISHED = {"pending", "in_progress"}


def finished(companies: Iterable[Company]) -> int:
    return sum(company.status not in UNFINISHED for company in companies)


async def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}, not within {seconds:g} s"
        await asyncio.sleep(0.2)


def start_runs(cluster: Cluster, companies: Iterable[Company]) -> None:
    with cluster.client() as client:
        deployed = client.read_deployment_by_name("export-job/export-job")
        for company in companies:
            client.create_flow_run_from_deployment(deployed.id, parameters={"connection": company.name})


@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("programs")
async def test_every_job_ends_rightly_and_none_runs_twice(tmp_path: Path) -> None:
    with fleet(tmp_path, COMPANIES) as companies, local_cluster(tmp_path) as cluster:
        cluster.deploy()
        await save_connections(companies, cluster.environment)
        for company in companies:
            company.export(ITEMS)
        doomed = cluster.start_worker("doomed", QUICK)
        cluster.start_worker("lasting", QUICK)
        start_runs(cluster, companies)

        await wait_until(lambda: finished(companies) >= 4, 120, "four jobs are done")
        doomed.die()
        await wait_until(lambda: finished(companies) >= 7, 120, "seven jobs are done")
        cluster.api_processes[0].kill()

        # What ran on the dead machine is taken up by later runs, as the schedule starts them.
        end = time.monotonic() + 300
        while left := [company for company in companies if company.status in UNFINISHED]:
            assert time.monotonic() < end, f"unfinished: {[company.name for company in left]}"
            await asyncio.sleep(LEASE_SECONDS / 2)
            start_runs(cluster, [company for company in left if company.status in UNFINISHED])

        for company in companies:
            assert company.status == "completed", company.name
            assert company.events() == ["started", "completed"], company.name
            assert company.booked() == company.to_be_booked(), company.name
