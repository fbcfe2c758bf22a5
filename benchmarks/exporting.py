"""How much memory a whole export takes: `pleo-export run` as a process of its own, with Prefect in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measuring import print_table, verdict
from benchmarks.servers import connection_settings, sandbox_process
from flows.commands.local_services import fava_ledger, prefect_server

ITEMS = 2000
MEMORY_AIM_MB = 300

_LEDGER = (
    'option "title" "Bench"\noption "operating_currency" "EUR"\n2020-01-01 open Expenses:Travel\n'
    "2020-01-01 open Assets:Pleo\n2020-01-01 open Liabilities:Employees\n"
)


def measure_memory(folder: Path, items: int = ITEMS) -> bool:
    """Export a job of items without receipts into Fava, print its figures, and tell if the aim was met."""
    file = folder / "memory.beancount"
    file.write_text(_LEDGER, encoding="utf-8")
    with ExitStack() as stack:
        pleo = stack.enter_context(sandbox_process(folder))
        ledger = stack.enter_context(fava_ledger(file))
        api = stack.enter_context(prefect_server(folder / "prefect-memory"))
        settings = {
            **connection_settings(pleo.base_url, f"{ledger}/bench"),
            "PLEO_EXPORT_ACCOUNTS__OUT_OF_POCKET": "Liabilities:Employees",
            "PREFECT_API_URL": api,
            "PREFECT_HOME": str(folder / "client-memory"),
            "PREFECT_LOGGING_LEVEL": "ERROR",
        }
        order = {
            "items": items,
            "accounts": ["Expenses:Travel"],
            "contraAccount": "Assets:Pleo",
            "overrides": {str(number): {"files": []} for number in range(1, items + 1)},
        }
        pleo.call("POST", "/jobs", order)
        seconds, peak = _export(settings, folder / "export.json", items)
    print_table(
        f"Whole export of {items} items without receipts into Fava: pleo-export run, Prefect included",
        ["items", "seconds", "items/s", "peak memory MB"],
        [[str(items), f"{seconds:.0f}", f"{items / seconds:.0f}", f"{peak:.0f}"]],
    )
    small = peak <= MEMORY_AIM_MB
    print(f"{verdict(small)}: at most {MEMORY_AIM_MB} MB")
    return small


def _export(settings: dict[str, str], output: Path, items: int) -> tuple[float, float]:
    """Run the export and give its seconds and the peak of its resident memory in MB."""
    program = str(Path(sys.executable).with_name("pleo-export"))
    begun = time.perf_counter()
    with output.open("wb") as out:
        process = subprocess.Popen(
            [program, "run", "--json"], env={**os.environ, **settings}, stdout=out, stdin=subprocess.DEVNULL
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    booked = json.loads(output.read_text().splitlines()[-1])["items"]
    if process.returncode or booked.get("successful") != items:
        raise RuntimeError(f"the export ended with {process.returncode}: {booked}")
    return seconds, usage.ru_maxrss / 1024
