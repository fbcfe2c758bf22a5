"""Parts of the server that do not answer for longer than a lease while a company exports, and come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy.local_cluster import Cluster, local_cluster
from flows.lease import LEASE_SECONDS
from tests.deploy.fleet import fleet, save_connections
from tests.deploy.test_cluster import QUICK, UNFINISHED, start_runs, wait_until

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.usefixtures("programs")]

ITEMS = 20
REPORT_SECONDS = 120
"""So long does Pleo take for a report: the run is at work on it, time after time, when the lease ends."""
OUTAGE_SECONDS = LEASE_SECONDS + 20
AGAIN_SECONDS = 15


@contextmanager
def silenced(processes: list[psutil.Process]) -> Iterator[None]:
    """Stop the processes without ending them: connections stay open, and nothing answers."""
    assert processes
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            process.resume()


def postgresql(cluster: Cluster) -> list[psutil.Process]:
    folder = cluster.postgresql.partition("host=")[2]
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and process.info["cwd"] == folder:
            return [process, *process.children()]
    raise AssertionError(f"no postgres works in {folder}")


def child(words: str) -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if words in " ".join(each.cmdline())]


PARTS: dict[str, Callable[[Cluster], list[psutil.Process]]] = {
    "PostgreSQL": postgresql,
    "Redis": lambda _: child("redis-server"),
    "both API processes": lambda cluster: cluster.api_processes,
    "background services": lambda _: child("server services start"),
}


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_does_not_answer(
    tmp_path: Path, part: str, record_property: Callable[..., None]
) -> None:
    with fleet(tmp_path, 1) as companies, local_cluster(tmp_path) as cluster:
        [company] = companies
        cluster.deploy()
        await save_connections(companies, cluster.environment)
        company.export(ITEMS)
        slow = company.pleo.inject(
            kind="delay", operation="updateExportJobItems", delay_seconds=REPORT_SECONDS, times=None
        )
        cluster.start_worker("lasting", QUICK)
        start_runs(cluster, companies)
        await wait_until(lambda: company.booked() != [], 120, "the first entries are booked")
        with silenced(PARTS[part](cluster)):
            await asyncio.sleep(OUTAGE_SECONDS)
        company.pleo.clear_faults(slow)
        assert company.status == "in_progress", "its run had not come to its end"

        again = time.monotonic()
        while company.status in UNFINISHED:
            assert time.monotonic() - again < 240, f"{company.status} long after {part} came back"
            start_runs(cluster, companies)  # as the schedule does, were it that frequent
            await asyncio.sleep(AGAIN_SECONDS)
        record_property("seconds to the end of the job", round(time.monotonic() - again))
        assert company.status == "completed"
        assert company.events() == ["started", "completed"]
        assert company.booked() == company.to_be_booked(), "each entry once"
