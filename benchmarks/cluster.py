"""The load figures of docs/deployment.md: `python -m benchmarks.cluster` (needs redis-server and haproxy)."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.measuring import print_table
from deploy.local_cluster import Cluster, local_cluster
from tests.deploy.fleet import Company, fleet, save_connections

COMPANIES = 20
ITEMS = 50
SECONDS = 900
_MB = 1024 * 1024

_KINDS = {
    "an API process": "server start",
    "background services": "server services start",
    "a worker": "worker start",
    "Redis": "redis-server",
    "HAProxy": "haproxy",
    "a run": "prefect.engine",
}
"""Words of a command line by which each kind of process is known."""


@dataclass
class Load:
    """What one round took.

    Attributes:
        seconds: from the start of the runs until the last job was over.
        cpu: seconds of processor time of the whole machine, Pleo's and the ledgers' stand-ins included.
        database: bytes by which Prefect's database grew.
        peaks: by kind of process the most memory that one of them had, in bytes.

    """

    name: str
    jobs: int
    seconds: float = 0.0
    cpu: float = 0.0
    database: int = 0
    peaks: dict[str, int] = field(default_factory=dict)


def measure_cluster(folder: Path) -> None:
    """Start the cluster with two workers, let twenty companies export, and print what that took."""
    with fleet(folder, COMPANIES) as companies, local_cluster(folder) as cluster:
        cluster.deploy()
        asyncio.run(save_connections(companies, cluster.environment))
        for name in ("one", "two"):
            cluster.start_worker(name, {"PREFECT_WORKER_QUERY_SECONDS": "1"})
        time.sleep(10)
        at_rest = _memory(folder)
        watch = {"companies_at_once": 8}
        rounds = [
            _round(folder, cluster, companies, "a run for each company", "export-job", {}),
            _round(folder, cluster, companies, "watch-exports, 8 at once", "watch-exports", watch),
            _round(folder, cluster, [], "watch-exports, no job", "watch-exports", watch),
        ]
    print_table(
        f"{COMPANIES} companies, {ITEMS} items each, into as many Fava ledgers; two workers, two runs each",
        ["round", "seconds", "exports a minute", "CPU s, all", "database MB", "a run MB, at most"],
        [
            [
                each.name,
                f"{each.seconds:.0f}",
                f"{60 * each.jobs / each.seconds:.0f}" if each.jobs else "-",
                f"{each.cpu:.0f}",
                f"{each.database / _MB:.1f}",
                f"{each.peaks.get('a run', 0) / _MB:.0f}",
            ]
            for each in rounds
        ],
    )
    busiest = {kind: max(each.peaks.get(kind, 0) for each in rounds) for kind in at_rest}
    print_table(
        "Memory of the processes",
        ["process", "at rest MB", "at most MB"],
        [[kind, f"{size / _MB:.0f}", f"{busiest[kind] / _MB:.0f}"] for kind, size in at_rest.items()],
    )


def _round(
    folder: Path,
    cluster: Cluster,
    companies: list[Company],
    name: str,
    deployment: str,
    parameters: dict[str, Any],
) -> Load:
    """Click Export for each company, start the runs, and wait for their ends."""
    for company in companies:
        company.export(ITEMS)
    load = Load(name, len(companies))
    one_for_each = [{"connection": company.name} for company in companies]
    size, cpu, begun = _database_size(cluster), _cpu_seconds(), time.monotonic()
    with _peaks_of(folder, load.peaks):
        _run_all(cluster, deployment, [parameters] if deployment == "watch-exports" else one_for_each)
    load.seconds, load.cpu = time.monotonic() - begun, _cpu_seconds() - cpu
    load.database = _database_size(cluster) - size
    ended = Counter(company.status for company in companies)
    if set(ended) - {"completed"}:
        raise RuntimeError(f"not every job was completed: {ended}")
    print(f"{name}: {load.seconds:.1f} s", flush=True)
    return load


def _run_all(cluster: Cluster, deployment: str, orders: list[dict[str, Any]]) -> None:
    with cluster.client() as client:
        deployed = client.read_deployment_by_name(f"{deployment}/{deployment}")
        runs = [
            client.create_flow_run_from_deployment(deployed.id, parameters=each, name=f"load {number}").id
            for number, each in enumerate(orders)
        ]
        end = time.monotonic() + SECONDS
        while runs:
            states = {run: client.read_flow_run(run).state for run in runs}
            runs = [run for run, state in states.items() if state is None or not state.is_final()]
            if time.monotonic() > end:
                raise RuntimeError(f"{len(runs)} run(s) did not end within {SECONDS} s")
            time.sleep(0.5)


@contextmanager
def _peaks_of(folder: Path, peaks: dict[str, int]) -> Iterator[None]:
    """Look at the processes' memory twice a second until the block ends."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            for kind, size in _memory(folder).items():
                peaks[kind] = max(size, peaks.get(kind, 0))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _memory(folder: Path) -> dict[str, int]:
    """Give by kind the proportional memory of the largest process, of PostgreSQL that of all together."""
    largest: defaultdict[str, int] = defaultdict(int)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            for kind, mark in _KINDS.items():
                if mark in words:
                    largest[kind] = max(largest[kind], process.memory_full_info().pss)
    for postmaster in _postgresql(folder):
        for process in [postmaster, *postmaster.children()]:
            with suppress(psutil.Error):
                largest["PostgreSQL, all its processes"] += process.memory_full_info().pss
    return dict(largest)


def _postgresql(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and str(folder) in " ".join(process.cmdline()):
                found.append(process)
    return found


def _cpu_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system)


def _database_size(cluster: Cluster) -> int:
    with psycopg.connect(cluster.postgresql, dbname="prefect") as connection:
        row = connection.execute("select pg_database_size('prefect')").fetchone()
    return int(row[0]) if row else 0


def main() -> int:
    """Measure in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pleo-export-load-", ignore_cleanup_errors=True) as folder:
        measure_cluster(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
