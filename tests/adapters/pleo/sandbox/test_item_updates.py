"""Reporting results: what is taken, what is refused in a 200, and when everything is (L87-L94)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo
from tests.adapters.pleo.sandbox.calls import REASON, entry_ids, put_items, read_job, refusal, send_event

BOOKED = {
    "status": "successful",
    "externalId": "JRN-481",
    "externalUrl": "https://ledger.example/481",
    "exportedAt": "2026-03-02T08:16:02Z",
}


@pytest.fixture
def job_id(pleo: EmbeddedPleo) -> str:
    return pleo.create_job(4, status="in_progress")


@pytest.fixture
def entries(pleo: EmbeddedPleo, job_id: str) -> list[str]:
    return entry_ids(pleo, job_id)


def update(entry: str, **fields: str) -> dict[str, Any]:
    return {"accountingEntryId": entry, **fields}


def errors(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    assert all(each["message"] for each in answer.json()["errors"])
    return [(each["accountingEntryId"], each["type"]) for each in answer.json()["errors"]]


def test_a_result_is_kept_as_it_was_told(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str]
) -> None:
    told = [update(entries[0], **BOOKED), update(entries[1].upper(), status="failed", **REASON)]
    answer = put_items(api, job_id, told)
    assert errors(answer) == []
    booked, failed, *rest = pleo.job(job_id)["items"]
    assert answer.json()["data"] == [booked, failed]
    assert booked == {
        "exportJobId": job_id,
        "accountingEntryId": entries[0],
        **BOOKED,
        "failureReason": None,
        "failureReasonType": None,
    }
    assert {name: failed[name] for name in REASON} == REASON and failed["externalId"] is None
    assert [item["status"] for item in rest] == ["pending", "pending"]
    listed = api.get(f"/v3/export-jobs/{job_id}/items", params={"status": "failed"}).json()["data"]
    assert listed == [failed]


def test_a_hundred_updates_are_taken_and_one_more_is_413(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    job_id = pleo.create_job(101, status="in_progress")
    all_of_them = [update(each, **BOOKED) for each in entry_ids(pleo, job_id)]
    answer = put_items(api, job_id, all_of_them)
    assert refusal(answer) == (413, "EXPORT_JOB_ITEMS_UPDATE_LIMIT")
    assert pleo.job(job_id)["counts"]["successful"] == 0, "a refused request changes nothing"
    assert errors(put_items(api, job_id, all_of_them[:100])) == []
    assert errors(put_items(api, job_id, all_of_them[100:])) == []
    assert pleo.job(job_id)["counts"]["successful"] == 101


def test_one_refused_update_does_not_hold_up_the_others(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str]
) -> None:
    stranger = str(uuid4())
    answer = put_items(
        api,
        job_id,
        [update(entries[0], **BOOKED), update(stranger, **BOOKED), update(entries[1], status="abandoned")],
    )
    assert errors(answer) == [
        (stranger, "ACCOUNTING_ENTRY_DOES_NOT_EXIST"),
        (entries[1], "EXPORT_ENTRY_STATUS_UPDATE_FAILED"),
    ]
    assert [each["accountingEntryId"] for each in answer.json()["data"]] == [entries[0]]
    assert pleo.job(job_id)["counts"] | {"successful": 1, "pending": 3} == pleo.job(job_id)["counts"]
    assert errors(put_items(api, job_id, [update(entries[1], **BOOKED)])) == []


@pytest.mark.parametrize("first", ["successful", "failed"])
@pytest.mark.parametrize("second", ["pending", "in_progress", "successful", "failed", "abandoned"])
def test_a_final_state_stays(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str], first: str, second: str
) -> None:
    # U21, U22: also when the very same update is repeated.
    put_items(api, job_id, [update(entries[0], status=first)])
    before = pleo.job(job_id)["items"][0]
    answer = put_items(api, job_id, [update(entries[0], status=second, externalId="other")])
    assert errors(answer) == [(entries[0], "EXPORT_ENTRY_STATUS_UPDATE_FAILED")]
    assert pleo.job(job_id)["items"][0] == before


def test_the_same_entry_twice_in_one_request_counts_once(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str]
) -> None:
    answer = put_items(
        api, job_id, [update(entries[0], **BOOKED), update(entries[0], status="failed", **REASON)]
    )
    assert errors(answer) == [(entries[0], "EXPORT_ENTRY_STATUS_UPDATE_FAILED")]
    assert pleo.job(job_id)["items"][0]["status"] == "successful"


def test_an_item_may_be_in_progress_but_does_not_go_back(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str]
) -> None:
    # U23: the schema allows it.
    assert errors(put_items(api, job_id, [update(entries[0], status="in_progress")])) == []
    back = put_items(api, job_id, [update(entries[0], status="pending")])
    assert errors(back) == [(entries[0], "EXPORT_ENTRY_STATUS_UPDATE_FAILED")]
    assert errors(put_items(api, job_id, [update(entries[0], **BOOKED)])) == []


@pytest.mark.parametrize(
    ("name", "most"), [("externalId", 255), ("failureReason", 255), ("externalUrl", 2048)]
)
def test_a_text_that_is_too_long_is_refused_until_it_is_cut(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str], name: str, most: int
) -> None:
    # U24
    long = put_items(api, job_id, [update(entries[0], status="failed", **{name: "x" * (most + 1)})])
    assert errors(long) == [(entries[0], "ACCOUNTING_ENTRY_UPDATE_FAILED")]
    assert pleo.job(job_id)["items"][0]["status"] == "pending"
    assert errors(put_items(api, job_id, [update(entries[0], status="failed", **{name: "x" * most})])) == []
    assert pleo.job(job_id)["items"][0][name] == "x" * most


def test_results_are_taken_while_the_job_still_waits(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    # No page says whether Pleo does; docs/sandbox.md names it among the limits.
    pleo.reset()
    waiting = pleo.create_job(1)
    assert errors(put_items(api, waiting, [update(entry_ids(pleo, waiting)[0], **BOOKED)])) == []
    assert read_job(api, waiting)["status"] == "pending"


@pytest.mark.parametrize("event", ["completed", "completed_with_errors", "failed"])
def test_after_the_end_nothing_is_taken(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str], event: str
) -> None:
    send_event(api, job_id, event, **(REASON if event == "failed" else {}))
    before = pleo.job(job_id)
    answer = put_items(api, job_id, [update(entries[0], **BOOKED)])
    assert refusal(answer) == (422, "EXPORT_JOB_STATUS_UNPROCESSABLE")
    assert pleo.job(job_id) == before
    following = pleo.create_job(1, status="in_progress")
    assert errors(put_items(api, following, [update(entry_ids(pleo, following)[0], **BOOKED)])) == []


@pytest.mark.parametrize(
    "updates",
    [
        [],
        {},
        [{}],
        [{"accountingEntryId": "x", "status": "successful"}],
        [{"accountingEntryId": "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10", "status": "booked"}],
        [
            {
                "accountingEntryId": "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10",
                "status": "failed",
                "externalId": None,
            }
        ],
    ],
)
def test_updates_that_break_the_contract_are_refused_whole(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, entries: list[str], updates: Any
) -> None:
    # U26: null is not the same as absent in a request.
    with_a_good_one = [update(entries[0], **BOOKED), *updates] if updates else updates
    assert refusal(put_items(api, job_id, with_a_good_one)) == (400, "BAD_REQUEST")
    assert pleo.job(job_id)["counts"]["pending"] == 4
    assert read_job(api, job_id)["status"] == "in_progress"


def test_an_unknown_job_is_404(pleo: EmbeddedPleo, api: httpx.Client, entries: list[str]) -> None:
    for unknown in (str(uuid4()), "no-uuid"):
        assert refusal(put_items(api, unknown, [update(entries[0], **BOOKED)])) == (404, "EXPORT_NOT_FOUND")


def test_an_entry_is_found_in_the_newest_job_that_has_it(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    pleo.reset()
    first = pleo.create_job(2, seed=7, status="completed")
    again = pleo.create_job(2, seed=7)
    entry, other = entry_ids(pleo, again)
    assert entry_ids(pleo, first) == [entry, other], "exported once more (U13)"
    found = api.get("/v3/export-job-items", params={"accounting_entry_id": entry}).json()["data"]
    assert (found["exportJobId"], found["status"]) == (again, "pending")
    order = {"accountingEntryIds": [other, entry, other, str(uuid4())], "status": "pending"}
    searched = api.post("/v3/export-job-items:search", json=order).json()
    assert [item["accountingEntryId"] for item in searched["data"]] == [other, entry]
    nowhere = api.get("/v3/export-job-items", params={"accounting_entry_id": str(uuid4())})
    assert refusal(nowhere) == (404, "EXPORT_ENTRY_NOT_FOUND")
