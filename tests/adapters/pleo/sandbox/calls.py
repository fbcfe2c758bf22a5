"""What tests of the embedded Pleo say often, as calls over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from adapters.pleo.sandbox import EmbeddedPleo

REASON = {"failureReasonType": "validation_failure", "failureReason": "The journal is closed."}


def caller(pleo: EmbeddedPleo, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=pleo.base_url, trust_env=False, timeout=10, **options)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def send_event(api: httpx.Client, job_id: str, event: str, **fields: str) -> httpx.Response:
    return api.post("/v3/export-job-events", json={"jobId": job_id, "event": event, **fields})


def put_items(api: httpx.Client, job_id: str, updates: list[dict[str, Any]]) -> httpx.Response:
    return api.put(f"/v3/export-jobs/{job_id}/items", json=updates)


def read_job(api: httpx.Client, job_id: str) -> dict[str, Any]:
    answer = api.get(f"/v3/export-jobs/{job_id}")
    assert answer.status_code == 200
    return dict(answer.json()["data"])


def entry_ids(pleo: EmbeddedPleo, job_id: str) -> list[str]:
    return [item["accountingEntryId"] for item in pleo.job(job_id)["items"]]


def export_items(api: httpx.Client, job_id: str) -> dict[str, dict[str, Any]]:
    """Every item of a job's data layer, by entry."""
    found = pages(api, "/v3/export-items", {"job_id": job_id, "limit": 100})
    return {item["accountingEntryId"]: item for page in found for item in page}


def pages(api: httpx.Client, path: str, query: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, forwards, by the cursors it gives."""
    after: dict[str, str] = {}
    while True:
        answer = api.get(path, params={**query, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["data"]
        if not page["pagination"]["hasNextPage"]:
            return
        after = {"after": page["pagination"]["endCursor"]}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of an error answer, which has Pleo's error body (L111)."""
    body = answer.json()
    assert set(body) <= {"type", "message"} and body["message"]
    return answer.status_code, body["type"]
