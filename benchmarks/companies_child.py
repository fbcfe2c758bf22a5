"""Measured process: saves connections, then one run of `watch-exports` over all of them."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from flows.blocks import ExportConnectionBlock
from flows.watch_exports import watch_exports


async def main(asked: dict[str, Any]) -> None:
    """Save what is to be served, serve it, and print seconds and peak memory as JSON."""
    for name, settings in asked["connections"].items():
        await ExportConnectionBlock.model_validate(settings).save(name, overwrite=True)
    begun, clock = time.time(), time.perf_counter()
    state = await watch_exports(companies_at_once=asked["at_once"], return_state=True)
    seconds = time.perf_counter() - clock
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "begun": begun,
                "seconds": seconds,
                "memory_mb": memory,
                "state": state.name,
                "message": state.message,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
