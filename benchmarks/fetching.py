"""How fast 10,000 items are fetched, and in how much memory, against a bare httpx loop."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measuring import print_table, verdict
from benchmarks.servers import connection_settings, sandbox_process

RUNS = 7
ITEMS = 10_000
THROUGHPUT_AIM = 0.8
MEMORY_AIM_MB = 150


def measure_fetching(folder: Path) -> bool:
    """Run the comparison, print its table, and tell whether every aim was met."""
    with sandbox_process(folder) as pleo:
        settings = connection_settings(pleo.base_url, "http://127.0.0.1:9/unused")
        job_id = str(pleo.call("POST", "/jobs", {"items": ITEMS, "status": "in_progress"})["id"])
        results: dict[str, list[dict[str, Any]]] = {"bare": [], "client": [], "empty": []}
        for number in range(RUNS):
            for kind, runs in results.items():
                runs.append(_run(kind, job_id, settings))
            print(f"round {number + 1} of {RUNS}", file=sys.stderr)
    speed = {
        kind: statistics.median(run["items"] / run["seconds"] for run in results[kind])
        for kind in ("bare", "client")
    }
    memory = {kind: statistics.median(run["peak_mb"] for run in runs) for kind, runs in results.items()}
    print_table(
        f"Fetch of {ITEMS} items, both layers, pages of 100: medians of {RUNS} interleaved runs",
        ["run", "items/s", "share of bare", "peak memory MB", "above empty"],
        [
            [
                kind,
                f"{speed[kind]:.0f}" if kind in speed else "-",
                f"{speed[kind] / speed['bare']:.2f}" if kind in speed else "-",
                f"{memory[kind]:.0f}",
                f"{memory[kind] - memory['empty']:.0f}",
            ]
            for kind in results
        ],
    )
    fast: bool = speed["client"] >= THROUGHPUT_AIM * speed["bare"]
    small: bool = memory["client"] - memory["empty"] <= MEMORY_AIM_MB
    print(f"{verdict(fast)}: at least {THROUGHPUT_AIM} of the bare loop's throughput")
    print(f"{verdict(small)}: at most {MEMORY_AIM_MB} MB above an empty run")
    return fast and small


def _run(kind: str, job_id: str, settings: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fetch_child", kind, job_id],
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        timeout=300,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    if kind != "empty" and result["items"] != ITEMS:
        raise RuntimeError(f"{kind} fetched {result['items']} of {ITEMS} items")
    return result
