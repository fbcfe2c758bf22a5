"""Measured process: fetch both layers of a job, with the client or with a bare loop; or do nothing.

Arguments: `client`, `bare` or `empty`, and the job's id. Prints one JSON line: seconds of the fetch, items,
and the peak of the process's resident memory in MB.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from uuid import UUID

import httpx

from adapters.environment import load_connection
from adapters.pleo.client import PleoClient
from adapters.pleo.export_items import EXPORT_ITEM_PAGE
from adapters.pleo.items import fetch_items
from adapters.pleo.models import EXPORT_JOB_ITEM_PAGE


async def with_client(job_id: str) -> int:
    """Fetch, join and keep all items as the flow does."""
    connection = load_connection()
    async with PleoClient(connection.pleo, connection.company_id) as client:
        return len((await fetch_items(client, UUID(job_id))).to_book)


async def with_bare_loop(job_id: str) -> int:
    """Page through both layers and parse the same models, keeping what was parsed."""
    connection = load_connection()
    assert connection.pleo.api_key is not None
    auth = (connection.pleo.api_key.get_secret_value(), "")
    kept: list[object] = []
    async with httpx.AsyncClient(base_url=connection.pleo.base_url, auth=auth) as http:
        for path, query, shape in (
            (f"/v3/export-jobs/{job_id}/items", {}, EXPORT_JOB_ITEM_PAGE),
            ("/v3/export-items", {"job_id": job_id}, EXPORT_ITEM_PAGE),
        ):
            cursor: dict[str, str] = {}
            count = 0
            while True:
                answer = await http.get(path, params={**query, "limit": "100", **cursor})
                page = shape.validate_json(answer.content)
                kept.append(page.data)
                count += len(page.data)
                if not page.pagination.has_next_page:
                    break
                cursor = {"after": page.pagination.end_cursor or ""}
    return count


async def nothing(_job_id: str) -> int:
    """Do nothing: what is left is the interpreter with all imports."""
    return 0


def main() -> None:
    """Do what the first argument says and print the figures."""
    work = {"client": with_client, "bare": with_bare_loop, "empty": nothing}[sys.argv[1]]
    begun = time.perf_counter()
    items = asyncio.run(work(sys.argv[2]))
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "items": items, "peak_mb": peak, "pid": os.getpid()}))


if __name__ == "__main__":
    main()
