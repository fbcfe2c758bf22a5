"""How long one healthy export of 25 items takes, up to the fetched items, against a bare script.

Interleaved in one process group: (a) the bare httpx script, (b) the flow against a running Prefect
server on PostgreSQL, and on SQLite, (c) `pleo-export check` as a whole process. Then (b) once more, each
run at the heels of the one before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.children import child
from benchmarks.measuring import Series, print_table, verdict
from benchmarks.servers import SandboxControl, connection_settings, prefect_on_postgresql, sandbox_process
from flows.commands.local_services import fava_ledger, prefect_server

RUNS = 9
ITEMS = 25
FLOW_AIM = 8.0
WORST_AIM = 3.0
CHECK_AIM_SECONDS = 0.5

_LEDGER = 'option "title" "Bench"\noption "operating_currency" "EUR"\n2020-01-01 open Expenses:Travel\n'


def measure_latency(folder: Path) -> bool:
    """Run the comparison, print its table, and tell whether every aim was met."""
    ledger_file = folder / "bench.beancount"
    ledger_file.write_text(_LEDGER, encoding="utf-8")
    with ExitStack() as stack:
        pleo = stack.enter_context(sandbox_process(folder))
        ledger = stack.enter_context(fava_ledger(ledger_file)) + "/bench"
        settings = connection_settings(pleo.base_url, ledger)
        postgresql = stack.enter_context(prefect_on_postgresql(folder))
        sqlite = stack.enter_context(prefect_server(folder / "prefect-sqlite"))
        home = {"PREFECT_HOME": str(folder / "client"), "PREFECT_LOGGING_LEVEL": "ERROR"}
        bare = stack.enter_context(child("bare_child", settings))
        on_postgresql = stack.enter_context(
            child("flow_child", {**settings, **home, "PREFECT_API_URL": postgresql})
        )
        on_sqlite = stack.enter_context(child("flow_child", {**settings, **home, "PREFECT_API_URL": sqlite}))
        kinds: list[tuple[Series, Callable[[], float]]] = [
            (Series("(a) bare httpx script"), bare.seconds),
            (Series("(b) flow, server on PostgreSQL"), on_postgresql.seconds),
            (Series("(b) flow, server on SQLite"), on_sqlite.seconds),
            (Series("(c) pleo-export check, whole process"), lambda: _check_process(settings)),
        ]
        _interleave(kinds, pleo)
        same = _same_requests(kinds, pleo)
        close = [_back_to_back(series.name, run, pleo) for series, run in kinds[1:3]]
    return _print([series for series, _ in kinds], close, same=same)


def _interleave(kinds: list[tuple[Series, Callable[[], float]]], pleo: SandboxControl) -> None:
    """Run every kind in turn, each time with a fresh job; the first round only warms up."""
    for number in range(RUNS + 1):
        for series, run in kinds:
            _fresh_job(pleo)
            seconds = run()
            if number:
                series.seconds.append(seconds)
        print(f"round {number} of {RUNS}", file=sys.stderr)


def _back_to_back(name: str, run: Callable[[], float], pleo: SandboxControl) -> Series:
    """Run one kind again and again without a pause, as a busy schedule does."""
    series = Series(name)
    for _ in range(RUNS):
        _fresh_job(pleo)
        series.seconds.append(run())
    return series


def _same_requests(kinds: list[tuple[Series, Callable[[], float]]], pleo: SandboxControl) -> bool:
    """Whether the bare script and the flow asked Pleo for the same things in the same order."""
    seen: list[list[tuple[str, str]]] = []
    for _, run in kinds[:2]:
        job_id = _fresh_job(pleo)
        run()
        seen.append(
            [
                (request["method"], request["path"].replace(job_id, "{jobId}"))
                for request in pleo.call("GET", "/requests")["requests"]
            ]
        )
    return seen[0] == seen[1]


def _fresh_job(pleo: SandboxControl) -> str:
    pleo.call("POST", "/reset", {})
    return str(pleo.call("POST", "/jobs", {"items": ITEMS})["id"])


def _check_process(settings: dict[str, str]) -> float:
    program = str(Path(sys.executable).with_name("pleo-export"))
    begun = time.perf_counter()
    subprocess.run(
        [program, "check", "--json"], env={**os.environ, **settings}, check=True, capture_output=True
    )
    return time.perf_counter() - begun


def _print(series: list[Series], close: list[Series], *, same: bool) -> bool:
    bare, flow, _, check = series
    columns = ["run", "median ms", "worst ms", "times (a)"]
    for title, part in (
        (f"One healthy export, {ITEMS} items fetched: {RUNS} interleaved runs", series),
        (f"The same without a pause between runs: {RUNS} runs each", close),
    ):
        rows = [
            [s.name, f"{s.median * 1000:.0f}", f"{s.worst * 1000:.0f}", f"{s.median / bare.median:.1f}"]
            for s in part
        ]
        print_table(title, columns, rows)
    aims = {
        f"(b) on PostgreSQL at most {FLOW_AIM:g} times (a)": flow.median <= FLOW_AIM * bare.median,
        f"its worst run at most {WORST_AIM:g} times its median": flow.worst <= WORST_AIM * flow.median,
        f"(c) at most {CHECK_AIM_SECONDS} s": check.median <= CHECK_AIM_SECONDS,
        "(a) and (b) ask Pleo for the same things": same,
    }
    for aim, met in aims.items():
        print(f"{verdict(met)}: {aim}")
    return all(aims.values())
