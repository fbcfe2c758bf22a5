"""The control API over HTTP: every route, strict about what it is told, apart from what Pleo serves."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo, Refusal
from adapters.pleo.sandbox.orders import JOB_FIELDS
from tests.adapters.pleo.sandbox.calls import bearer, read_job, refusal

ABSENT = "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10"


def test_a_person_can_do_everything_with_http_alone(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    # As `curl -d` does it: no credential, no media type.
    job = anyone.post("/_sandbox/jobs", content=b'{"items": 2, "status": "in_progress"}')
    assert (job.status_code, job.json()["numberOfItems"]) == (201, 2)
    job_id = job.json()["id"]
    read = anyone.get(f"/_sandbox/jobs/{job_id}").json()
    assert read["counts"]["pending"] == len(read["items"]) == 2
    assert [each["event"] for each in read["events"]] == []
    assert [each["id"] for each in anyone.get("/_sandbox/jobs").json()["jobs"]] == [job_id]
    assert anyone.post(f"/_sandbox/jobs/{job_id}/cancel").json()["failureReasonType"] == "canceled_by_user"
    again = anyone.post(f"/_sandbox/jobs/{job_id}/cancel")
    assert refusal(again) == (422, "EXPORT_JOB_STATUS_UNPROCESSABLE")
    assert anyone.get("/_sandbox/health").json()["jobs"] == 1
    assert anyone.post("/_sandbox/reset").json()["jobs"] == 0
    assert anyone.get("/_sandbox/jobs").json() == {"jobs": []}


def test_requests_are_recorded_and_filtered(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client
) -> None:
    api.get("/v3/export-jobs", params={"statuses": ["pending", "failed"]})
    anyone.post("/v3/export-job-events", json={"jobId": ABSENT, "event": "started"})
    api.get(f"/v3/export-jobs/{ABSENT}/items")
    anyone.get("/elsewhere")

    def found(**query: str) -> list[str]:
        answer = anyone.get("/_sandbox/requests", params=query)
        assert answer.status_code == 200
        return [each["path"] for each in answer.json()["requests"]]

    all_of_them = anyone.get("/_sandbox/requests").json()["requests"]
    first, second, *_ = all_of_them
    assert first["query"] == [["statuses", "pending"], ["statuses", "failed"]]
    assert (first["operation"], first["credential"], first["status"]) == ("listExportJobs", "api_key", 200)
    assert (second["body"], second["status"]) == ({"jobId": ABSENT, "event": "started"}, 401)
    assert (second["authorized"], second["credential"]) == (False, None)
    assert [each["number"] for each in all_of_them] == list(range(first["number"], first["number"] + 4))
    assert found(method="post") == found(status="401") == ["/v3/export-job-events"]
    assert found(path="/v3/export-jobs*") == ["/v3/export-jobs", f"/v3/export-jobs/{ABSENT}/items"]
    assert found(operation="listExportJobItems", status="404") == [f"/v3/export-jobs/{ABSENT}/items"]
    assert found(status="200", method="POST") == []
    for wrong in ({"statuz": "200"}, {"operation": "listJobs"}, {"self": "x"}):
        assert refusal(anyone.get("/_sandbox/requests", params=wrong)) == (400, "BAD_REQUEST")
    assert anyone.delete("/_sandbox/requests").json() == {}
    assert found() == []


def test_faults_are_ordered_listed_and_taken_back(api: httpx.Client, anyone: httpx.Client) -> None:
    one = anyone.post("/_sandbox/faults", json={"kind": "answer", "status": 500, "times": None})
    two = anyone.post("/_sandbox/faults", json={"kind": "close", "call": 99})
    assert (one.status_code, one.json()["status"], two.json()["status"]) == (201, 500, None)
    assert api.get("/v3/export-jobs").status_code == 500
    listed = anyone.get("/_sandbox/faults").json()["faults"]
    assert [(each["kind"], each["seen"], each["struck"]) for each in listed] == [
        ("answer", 1, 1),
        ("close", 1, 0),
    ]
    path = f"/_sandbox/faults/{one.json()['id']}"
    assert anyone.delete(path).status_code == 200
    assert refusal(anyone.delete(path)) == (404, "NOT_FOUND")
    assert api.get("/v3/export-jobs").status_code == 200
    assert anyone.delete("/_sandbox/faults").json() == {}
    assert anyone.get("/_sandbox/faults").json() == {"faults": []}


def test_the_clock_is_told_and_moved(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    assert anyone.get("/_sandbox/clock").json()["offsetSeconds"] == 0
    assert anyone.put("/_sandbox/clock", json={"advanceSeconds": 90}).json()["offsetSeconds"] == 90
    assert anyone.put("/_sandbox/clock", json={"advanceSeconds": -30.5}).json()["offsetSeconds"] == 59.5
    told = anyone.put("/_sandbox/clock", json={"now": "2026-03-02T09:15:00+01:00"}).json()
    assert told["now"] == "2026-03-02T08:15:00Z"
    assert anyone.get("/_sandbox/health").json()["now"].startswith("2026-03-02T08:15:0")


@pytest.mark.parametrize(
    "order",
    [
        b"{}",
        b'{"now": "2026-03-02T08:15:00Z", "advanceSeconds": 1}',
        b'{"now": "2026-03-02T08:15:00"}',
        b'{"now": "today"}',
        b'{"now": "1999-12-31T23:59:59Z"}',
        b'{"now": "3000-01-01T00:00:00Z"}',
        b'{"advanceSeconds": 1e300}',
        b'{"advanceSeconds": 1e999}',
        b'{"advanceSeconds": ' + b"9" * 400 + b"}",
        b'{"advanceSeconds": "60"}',
        b'{"advance": 60}',
    ],
)
def test_a_clock_that_cannot_be_is_refused_and_does_not_move(anyone: httpx.Client, order: bytes) -> None:
    assert refusal(anyone.put("/_sandbox/clock", content=order)) == (400, "BAD_REQUEST")
    assert anyone.get("/_sandbox/clock").json()["offsetSeconds"] == 0
    assert anyone.put("/_sandbox/clock", json={"now": "2999-12-31T23:00:00Z"}).status_code == 200
    assert anyone.post("/_sandbox/jobs").status_code == 201


def test_credentials_and_the_installation_are_changed(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client
) -> None:
    pair = anyone.post("/_sandbox/credentials", json={"action": "issue_tokens", "expiresInSeconds": 60})
    headers = bearer(pair.json()["accessToken"])
    assert anyone.get("/v1/installations/me", headers=headers).status_code == 200
    for wrong in ({}, {"action": "revoke"}, {"action": "issue_tokens", "expiresInSeconds": -1}):
        assert refusal(anyone.post("/_sandbox/credentials", json=wrong)) == (400, "BAD_REQUEST")
    assert anyone.delete("/_sandbox/installation").json() == {}
    assert refusal(api.get("/v1/installations/me")) == (404, "NOT_FOUND")
    assert api.post("/v1/installations/me", json={"metadata": {"a": 1}}).status_code == 201
    made = api.get("/v1/installations/me").json()
    assert (made["status"], made["metadata"]) == ("AUTHORIZED", {"a": 1})
    assert api.post("/v1/installations/me:activate").json()["status"] == "ACTIVATED"
    ill = api.put("/v1/installations/me", json={"status": "ERROR", "errorCode": "AUTH_ERROR"}).json()
    assert (ill["status"], ill["errorCode"]) == ("ERROR", "AUTH_ERROR")
    well = api.put("/v1/installations/me", json={"status": "ACTIVATED"}).json()
    assert (well["status"], well["errorCode"], well["metadata"]) == ("ACTIVATED", None, {"a": 1})


WRONG_JOBS: list[dict[str, Any]] = [
    {"item": 3},
    {"items": "3"},
    {"items": True},
    {"items": -1},
    {"items": 1_000_001},
    {"items": [1]},
    {"items": [{"accountingEntryId": "x"}]},
    {"items": [{"accountingEntryId": [1]}]},
    {"companyId": "x"},
    {"vendorBasedBookkeeping": 1},
    {"status": "done"},
    {"seed": 1.5},
    {"currency": "eur"},
    {"accounts": []},
    {"accounts": [5800]},
    {"contraAccount": 1},
    {"types": {"cards": 1}},
    {"types": {"fee": 0}},
    {"types": {"fee": True}},
    {"overrides": {"4": {}}},
    {"overrides": {"one": {}}},
    {"overrides": {"1" * 5000: {}}},
    {"overrides": {"1": []}},
    {"withoutAccount": [4]},
    {"withoutAccount": ["1"]},
    {"missingInData": [0]},
    {"extraInData": -1},
    {"itemStatuses": {"4": "failed"}},
    {"itemStatuses": {"1": "booked"}},
    {"ageSeconds": -1},
    {"ageSeconds": 1e300},
    {"allowSecond": "yes"},
]


@pytest.mark.parametrize("order", WRONG_JOBS, ids=str)
def test_a_job_that_cannot_be_made_is_refused_and_none_is_made(
    pleo: EmbeddedPleo, anyone: httpx.Client, order: dict[str, Any]
) -> None:
    assert refusal(anyone.post("/_sandbox/jobs", json=order)) == (400, "BAD_REQUEST")
    assert pleo.jobs() == []
    assert anyone.post("/_sandbox/jobs", json={"items": 3}).status_code == 201


def test_a_misspelt_field_is_named_with_those_that_there_are(
    pleo: EmbeddedPleo, anyone: httpx.Client
) -> None:
    message = anyone.post("/_sandbox/jobs", json={"missingInDate": [1]}).json()["message"]
    assert "missingInDate" in message and all(name in message for name in JOB_FIELDS)
    with pytest.raises(Refusal, match="missingInDate"):
        pleo.create_job(1, missing_in_date=[1])


def test_every_field_of_a_job_takes_effect_together(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    company = "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d"
    order = {
        "items": 4,
        "companyId": company,
        "vendorBasedBookkeeping": True,
        "isInteractive": False,
        "status": "completed_with_errors",
        "itemStatuses": {"1": "failed", "2": "abandoned"},
        "ageSeconds": 600,
        "allowSecond": True,
    }
    pleo.set_clock("2026-03-02T08:15:00Z")
    job = read_job(api, api.post("/_sandbox/jobs", json=order).json()["id"])
    assert (job["companyId"], job["vendorBasedBookkeeping"], job["isInteractive"]) == (company, True, False)
    assert job["createdAt"] == job["completedAt"] == "2026-03-02T08:05:00Z"
    states = [item["status"] for item in pleo.job(job["id"])["items"]]
    assert states == ["failed", "abandoned", "successful", "successful"]


def test_what_is_not_json_is_refused(anyone: httpx.Client) -> None:
    for body in (b"{", b"[]", b"1", b'{"items": NaN}', b"\xff", b'{"currency": "\\ud800"}', b"[" * 10_000):
        assert refusal(anyone.post("/_sandbox/jobs", content=body)) == (400, "BAD_REQUEST"), body[:20]
    assert anyone.post("/_sandbox/jobs", content=b"").status_code == 201


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_misspelt_control_call_does_not_count_as_a_clients_request(
    pleo: EmbeddedPleo, anyone: httpx.Client, method: str
) -> None:
    pleo.inject(kind="answer", times=None)
    answer = anyone.request(method, "/_sandbox/job", json={})
    assert refusal(answer) == (404, "NOT_FOUND")
    assert re.search(r"docs/sandbox\.md", answer.text)
    assert pleo.requests() == [] and pleo.faults()[0]["seen"] == 0


def test_an_unknown_job_is_404(anyone: httpx.Client) -> None:
    assert refusal(anyone.get(f"/_sandbox/jobs/{ABSENT}")) == (404, "EXPORT_NOT_FOUND")
    assert refusal(anyone.post("/_sandbox/jobs/x/cancel")) == (404, "EXPORT_NOT_FOUND")
