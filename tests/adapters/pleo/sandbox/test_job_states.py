"""The states of a job: every event in every state, and the ends that come without an event (L18-L28)."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo, Refusal
from tests.adapters.pleo.sandbox.calls import REASON, export_items, put_items, read_job, refusal, send_event

STATES = ["pending", "in_progress", "failed", "completed", "completed_with_errors"]
EVENTS = ["started", "failed", "completed", "completed_with_errors"]
ALLOWED = {
    ("pending", "started"): "in_progress",
    ("in_progress", "failed"): "failed",
    ("in_progress", "completed"): "completed",
    ("in_progress", "completed_with_errors"): "completed_with_errors",
}
HOUR = 3600


def in_state(pleo: EmbeddedPleo, status: str) -> str:
    return pleo.create_job(2, status=status)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("status", STATES)
def test_an_event_moves_the_job_or_is_refused_and_changes_nothing(
    pleo: EmbeddedPleo, api: httpx.Client, status: str, event: str
) -> None:
    job_id = in_state(pleo, status)
    before = read_job(api, job_id)
    assert before["status"] == status
    answer = send_event(api, job_id, event, **(REASON if event == "failed" else {}))
    if (status, event) in ALLOWED:
        assert (answer.status_code, answer.content) == (202, b"")
        assert read_job(api, job_id)["status"] == ALLOWED[status, event]
    else:
        assert refusal(answer) == (422, "INVALID_EXPORT_JOB_STATUS_CHANGE")
        assert read_job(api, job_id) == before
    assert pleo.job(job_id)["events"][-1]["answer"] == answer.status_code


def test_a_job_goes_from_waiting_to_exported_and_dates_each_step(
    pleo: EmbeddedPleo, api: httpx.Client
) -> None:
    pleo.set_clock("2026-03-02T08:15:00Z")
    job_id = pleo.create_job(1)
    waiting = read_job(api, job_id)
    assert waiting["createdAt"] == "2026-03-02T08:15:00Z" and waiting["expiresIn"] == HOUR
    assert waiting["lastUpdatedAt"] is waiting["startedAt"] is waiting["completedAt"] is None
    pleo.advance(60)
    send_event(api, job_id, "started")
    started = read_job(api, job_id)
    assert started["startedAt"] == started["lastUpdatedAt"] == "2026-03-02T08:16:00Z"
    pleo.advance(60)
    send_event(api, job_id, "completed")
    completed = read_job(api, job_id)
    assert completed["completedAt"] == completed["lastUpdatedAt"] == "2026-03-02T08:17:00Z"
    assert completed["failureReason"] is completed["failureReasonType"] is None


def test_a_reason_goes_with_failed_and_with_nothing_else(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    # L98 and U27: both fields with `failed`, neither with another event; the text has an end (U24).
    job_id = in_state(pleo, "in_progress")
    long = {**REASON, "failureReason": "x" * 256}
    unfit = [
        ("failed", {}),
        ("failed", {"failureReason": REASON["failureReason"]}),
        ("failed", {"failureReasonType": REASON["failureReasonType"]}),
        ("failed", {**REASON, "failureReason": ""}),
        ("failed", {**REASON, "failureReasonType": "accounting_system_validation_failure"}),  # C2a
        ("failed", long),
        ("completed", REASON),
        ("completed_with_errors", REASON),  # C2
    ]
    for event, fields in unfit:
        assert refusal(send_event(api, job_id, event, **fields)) == (400, "BAD_REQUEST"), (event, fields)
    assert read_job(api, job_id)["status"] == "in_progress"
    assert send_event(api, job_id, "failed", **{**long, "failureReason": "x" * 255}).status_code == 202
    assert read_job(api, job_id)["failureReason"] == "x" * 255


def test_a_failed_job_tells_its_reason_and_abandons_what_was_left(
    pleo: EmbeddedPleo, api: httpx.Client
) -> None:
    job_id = pleo.create_job(3, status="in_progress", item_statuses={"1": "successful", "2": "in_progress"})
    send_event(api, job_id, "failed", **REASON)
    job = read_job(api, job_id)
    assert {name: job[name] for name in REASON} == REASON
    assert [item["status"] for item in pleo.job(job_id)["items"]] == ["successful", "abandoned", "abandoned"]


@pytest.mark.parametrize("event", ["completed", "completed_with_errors"])
def test_a_job_can_be_completed_while_items_wait(pleo: EmbeddedPleo, api: httpx.Client, event: str) -> None:
    # U8: the client has to look for itself.
    job_id = in_state(pleo, "in_progress")
    assert send_event(api, job_id, event).status_code == 202
    assert pleo.job(job_id)["counts"]["pending"] == 2


@pytest.mark.parametrize("status", ["pending", "in_progress"])
def test_a_job_expires_an_hour_after_its_last_update(
    pleo: EmbeddedPleo, api: httpx.Client, status: str
) -> None:
    job_id = pleo.create_job(2, status=status, item_statuses={"1": "failed"})
    pleo.advance(HOUR - 5)
    assert read_job(api, job_id)["status"] == status
    pleo.advance(5)
    job = read_job(api, job_id)
    assert (job["status"], job["failureReasonType"]) == ("failed", "job_expired")
    origin = datetime.fromisoformat(job["lastUpdatedAt"] or job["createdAt"])
    assert datetime.fromisoformat(job["expiredAt"]) == origin + timedelta(seconds=HOUR)
    assert [item["status"] for item in pleo.job(job_id)["items"]] == ["failed", "abandoned"]
    assert refusal(send_event(api, job_id, "completed")) == (422, "INVALID_EXPORT_JOB_STATUS_CHANGE")
    assert read_job(api, pleo.create_job(1))["status"] == "pending", "the next export can begin"


def test_results_push_the_deadline_out_and_reading_does_not(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    # L27, U1: only an item update that changes something counts.
    job_id = pleo.create_job(2, status="in_progress")
    first = next(iter(export_items(api, job_id)))
    pleo.advance(HOUR - 60)
    put_items(api, job_id, [{"accountingEntryId": first, "status": "successful"}])
    pleo.advance(HOUR - 60)
    assert read_job(api, job_id)["status"] == "in_progress"
    put_items(api, job_id, [{"accountingEntryId": first, "status": "successful"}])
    export_items(api, job_id)
    pleo.advance(60)
    assert read_job(api, job_id)["failureReasonType"] == "job_expired"


@pytest.mark.parametrize("status", ["pending", "in_progress"])
def test_a_user_can_stop_a_job_once(pleo: EmbeddedPleo, api: httpx.Client, status: str) -> None:
    job_id = in_state(pleo, status)
    pleo.cancel_job(job_id)
    job = read_job(api, job_id)
    assert (job["status"], job["failureReasonType"]) == ("failed", "canceled_by_user")
    assert pleo.job(job_id)["counts"]["abandoned"] == 2
    with pytest.raises(Refusal):
        pleo.cancel_job(job_id)
    assert refusal(send_event(api, job_id, "started")) == (422, "INVALID_EXPORT_JOB_STATUS_CHANGE")


def test_a_company_has_one_unfinished_job(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    order = {"companyId": pleo.company_id, "accountingEntryIds": [pleo.company_id]}
    first = api.post("/v3/export-jobs", json=order)
    assert first.status_code == 201 and first.json()["data"]["status"] == "pending"
    second = api.post("/v3/export-jobs", json=order)
    assert refusal(second) == (409, "EXPORT_ALREADY_IN_PROGRESS")
    with pytest.raises(Refusal):
        pleo.create_job(1)
    job_id = first.json()["data"]["id"]
    send_event(api, job_id, "started")
    send_event(api, job_id, "completed")
    assert api.post("/v3/export-jobs", json=order).status_code == 201


def test_another_company_is_forbidden_until_it_is_known(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    other = "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d"
    order = {"companyId": other, "accountingEntryIds": []}
    assert refusal(api.post("/v3/export-jobs", json=order)) == (403, "FORBIDDEN")
    pleo.create_job(1, company_id=other, status="completed")
    assert api.post("/v3/export-jobs", json=order).json()["data"]["numberOfItems"] == 0  # U10


def test_a_job_that_does_not_exist_is_404(api: httpx.Client) -> None:
    unknown = "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10"
    assert refusal(send_event(api, unknown, "started")) == (404, "EXPORT_NOT_FOUND")
    assert refusal(api.get(f"/v3/export-jobs/{unknown}")) == (404, "EXPORT_NOT_FOUND")
    assert refusal(api.get(f"/v3/export-jobs/{unknown}/items")) == (404, "EXPORT_NOT_FOUND")


def test_jobs_are_found_by_state_and_company(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    for status in STATES:
        pleo.create_job(1, status=status, allow_second=True)

    def found(**query: object) -> list[str]:
        return [job["status"] for job in api.get("/v3/export-jobs", params=query).json()["data"]]

    assert found() == STATES[::-1], "newest first"
    assert found(statuses=["pending", "in_progress"]) == ["in_progress", "pending"]
    assert found(company_id=pleo.company_id.upper(), statuses="failed") == ["failed"]
    assert found(company_id="0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d") == []
    assert api.get("/v3/export-jobs", params={"statuses": "done"}).status_code == 400
