"""Many companies in one run of `watch-exports`: time, fairness, memory; one hangs, one is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from adapters.pleo.sandbox import defaults
from benchmarks.measuring import print_table, verdict
from benchmarks.servers import SandboxControl, prefect_on_postgresql, sandbox_process
from flows.commands.local_services import free_port, installed_program, service

COMPANIES = 50
ITEMS = 5
HANG_SECONDS = 30
DELAY_AIM = 1.3
"""How many times as long the healthy companies may take when one hangs and one is broken."""

_LEDGER = (
    'option "title" "{name}"\noption "operating_currency" "EUR"\n2020-01-01 open Expenses:Travel\n'
    "2020-01-01 open Assets:Pleo\n2020-01-01 open Liabilities:Employees\n"
)


@dataclass
class Round:
    """What one run over all companies took; seconds count from its begin."""

    name: str
    all_done: float
    healthy_done: float
    first_items: list[float]
    memory_mb: float


def measure_companies(folder: Path, companies: int = COMPANIES) -> bool:
    """Serve the companies three times, print the figures, and tell if the aim was met."""
    names = [f"company-{number:02}" for number in range(1, companies + 1)]
    ids = {name: str(uuid4()) for name in names}
    with ExitStack() as stack:
        pleo = stack.enter_context(sandbox_process(folder))
        ledgers = stack.enter_context(_ledgers(folder, names))
        environment = {
            "PREFECT_API_URL": stack.enter_context(prefect_on_postgresql(folder)),
            "PREFECT_HOME": str(folder / "client-companies"),
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
        }
        healthy = {name: _connection(pleo, ids[name], ledgers[name]) for name in names}
        ill = dict(healthy)
        ill[names[0]] = {
            **healthy[names[0]],
            "accounting": {"system": "faulty", "behaviour": "hang"},
            "check_deadline_seconds": HANG_SECONDS,
            "validation_deadline_seconds": HANG_SECONDS,
        }
        ill[names[1]] = {**healthy[names[1]], "pleo": {"base_url": pleo.base_url, "api_key": "revoked"}}
        both = [ids[names[0]], ids[names[1]]]

        def serve(name: str, connections: dict[str, Any], at_once: int) -> Round:
            return _serve(folder, pleo, environment, name, connections, at_once, both)

        rounds = [
            serve("all healthy, 8 at once", healthy, 8),
            serve("one hangs, one is broken, 8 at once", ill, 8),
            serve("all healthy, one at a time", healthy, 1),
        ]
    print_table(
        f"{companies} companies with a job of {ITEMS} items each, into {companies} Fava ledgers: one run",
        ["run", "all s", "healthy s", "first item s: median", "worst", "peak memory MB"],
        [
            [
                each.name,
                f"{each.all_done:.1f}",
                f"{each.healthy_done:.1f}",
                f"{median(each.first_items):.1f}",
                f"{max(each.first_items):.1f}",
                f"{each.memory_mb:.0f}",
            ]
            for each in rounds
        ],
    )
    met = rounds[1].healthy_done <= DELAY_AIM * rounds[0].healthy_done
    print(
        f"{verdict(met)}: with one hanging and one broken, the others take at most {DELAY_AIM} times as long"
    )
    return met


def _serve(
    folder: Path,
    pleo: SandboxControl,
    environment: dict[str, str],
    name: str,
    connections: dict[str, Any],
    at_once: int,
    both: list[str],
) -> Round:
    """Make a job for every company, run the flow in a process of its own, and read Pleo's record of it."""
    pleo.call("DELETE", "/requests")
    jobs = {}
    for settings in connections.values():
        order = {
            "companyId": settings["company_id"],
            "items": ITEMS,
            "accounts": ["Expenses:Travel"],
            "contraAccount": "Assets:Pleo",
            "overrides": {str(number): {"files": []} for number in range(1, ITEMS + 1)},
            "allowSecond": True,
        }
        jobs[pleo.call("POST", "/jobs", order)["id"]] = settings["company_id"]
    file = folder / "connections.json"
    file.write_text(json.dumps({"connections": connections, "at_once": at_once}))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.companies_child", str(file)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=900,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    healthy = [job for job, company in jobs.items() if company not in both]
    first, last = _times(pleo, healthy, said["begun"])
    measured = Round(name, said["seconds"], max(last), first, said["memory_mb"])
    print(f"{name}: {measured.all_done:.1f} s, {said['state']}: {said['message']}", flush=True)
    return measured


def _times(pleo: SandboxControl, jobs: list[str], begun: float) -> tuple[list[float], list[float]]:
    """Give, for each job, when its first result and when its end arrived at Pleo."""
    results: dict[str, float] = {}
    ends: dict[str, float] = {}
    for request in pleo.call("GET", "/requests?status=200&operation=updateExportJobItems")["requests"]:
        results.setdefault(request["path"].split("/")[3], _seconds(request["at"]) - begun)
    for request in pleo.call("GET", "/requests?status=202")["requests"]:
        if request["body"]["event"] == "completed":
            ends[request["body"]["jobId"]] = _seconds(request["at"]) - begun
    unserved = [job for job in jobs if job not in results or job not in ends]
    if unserved:
        raise RuntimeError(f"{len(unserved)} healthy companies were not exported")
    return [results[job] for job in jobs], [ends[job] for job in jobs]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


@contextmanager
def _ledgers(folder: Path, names: list[str]) -> Iterator[dict[str, str]]:
    """Serve one ledger for each company with one Fava, and give their addresses."""
    files = []
    for name in names:
        files.append(folder / f"{name}.beancount")
        files[-1].write_text(_LEDGER.format(name=name), encoding="utf-8")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [installed_program("fava"), *map(str, files), "--host", "127.0.0.1", "--port", str(port)]
    with service(command, answers_at=address, log=folder / "companies.fava.log", seconds=120):
        yield {name: f"{address}/{name}" for name in names}


def _connection(pleo: SandboxControl, company_id: str, ledger: str) -> dict[str, Any]:
    return {
        "company_id": company_id,
        "pleo": {"base_url": pleo.base_url, "api_key": defaults.API_KEY},
        "accounting": {"system": "fava", "url": ledger},
        "accounts": {"out_of_pocket": "Liabilities:Employees"},
    }
