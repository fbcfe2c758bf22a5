"""Measured process: a bare httpx script that makes the calls of a healthy export in the same order.

It has no deadlines, no retries, no typed errors and no state machine: what the flow costs beyond it is
the price of those and of Prefect. `benchmarks.latency` compares the requests of both.
"""

from __future__ import annotations

import os
import sys
import time

import httpx

from adapters.pleo.export_items import EXPORT_ITEM_PAGE
from adapters.pleo.models import EXPORT_JOB_ITEM_PAGE, EXPORT_JOB_PAGE


def export_bare() -> None:
    """Make the calls once."""
    company = os.environ["PLEO_EXPORT_COMPANY_ID"]
    ledger = os.environ["PLEO_EXPORT_ACCOUNTING__URL"]
    key = os.environ["PLEO_EXPORT_PLEO__API_KEY"]
    base = os.environ["PLEO_EXPORT_PLEO__BASE_URL"]
    with httpx.Client(base_url=base, auth=(key, "")) as pleo, httpx.Client(base_url=ledger) as fava:
        query = {"company_id": company, "statuses": ["pending", "in_progress"], "limit": "100"}
        jobs = EXPORT_JOB_PAGE.validate_json(_ok(pleo.get("/v3/export-jobs", params=query)).content)
        job_id = str(jobs.data[0].id)
        _ok(pleo.post("/v3/export-job-events", json={"jobId": job_id, "event": "started"}))
        for _check in range(3):
            _ok(fava.get("/api/changed"))
        _ok(fava.put("/api/add_entries", json={"entries": []}))
        data = _ok(fava.get("/api/ledger_data")).json()["data"]
        source = _ok(fava.get("/api/source", params={"filename": data["options"]["filename"]})).json()["data"]
        _ok(fava.put("/api/source", json={k: source[k] for k in ("file_path", "sha256sum", "source")}))
        page = {"limit": "100"}
        EXPORT_JOB_ITEM_PAGE.validate_json(
            _ok(pleo.get(f"/v3/export-jobs/{job_id}/items", params=page)).content
        )
        EXPORT_ITEM_PAGE.validate_json(
            _ok(pleo.get("/v3/export-items", params={"job_id": job_id, **page})).content
        )


def _ok(answer: httpx.Response) -> httpx.Response:
    return answer.raise_for_status()


def main() -> None:
    """Make the calls once for each line on stdin."""
    while sys.stdin.readline():
        begun = time.perf_counter()
        export_bare()
        print(time.perf_counter() - begun, flush=True)


if __name__ == "__main__":
    main()
