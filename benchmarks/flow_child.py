"""Measured process: the flow `export-job` with `fetch_only`, against a running Prefect server."""

from __future__ import annotations

import asyncio
import sys
import time

from flows.commands.run import collect_run


async def main() -> None:
    """Run the flow once for each line on stdin."""
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        begun = time.perf_counter()
        report = await collect_run(fetch_only=True)
        took = time.perf_counter() - begun
        if report.state_name != "ItemsFetched":
            raise RuntimeError(f"{report.state_name}: {report.message}")
        print(took, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
