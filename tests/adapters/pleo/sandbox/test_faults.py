"""Faults: each kind strikes the call it was ordered for and no other, and the next one recovers."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo, Refusal
from adapters.pleo.sandbox.faults import KINDS
from tests.adapters.pleo.sandbox.calls import entry_ids, pages, read_job, send_event

DELAY = 0.25


@pytest.fixture
def job_id(pleo: EmbeddedPleo) -> str:
    return pleo.create_job(3)


def answered(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    answer = api.get(f"/v3/export-jobs/{job_id}")
    assert (answer.status_code, answer.text) == (418, "a teapot")
    assert answer.headers["x-mine"] == "yes"


def delayed(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    begun = time.monotonic()
    assert read_job(api, job_id)["id"] == job_id
    assert time.monotonic() - begun >= DELAY


def cut_off(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        api.get(f"/v3/export-jobs/{job_id}")


def truncated(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    with api.stream("GET", f"/v3/export-jobs/{job_id}") as answer:
        pieces: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            pieces.extend(answer.iter_raw())
    assert answer.status_code == 200
    assert len(b"".join(pieces)) == int(answer.headers["content-length"]) // 2


def not_a_page(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    assert read_job(api, job_id)["id"] == job_id, "what is not a page stays as it is"


def dripped(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    begun = time.monotonic()
    with api.stream("GET", f"/v3/export-jobs/{job_id}") as answer:
        pieces = list(answer.iter_raw())
    assert len(b"".join(pieces)) == int(answer.headers["content-length"])
    assert len(pieces) >= 4 and time.monotonic() - begun >= 3 * 0.03


STRIKES: dict[str, tuple[dict[str, object], Callable[[EmbeddedPleo, httpx.Client, str], None]]] = {
    "answer": ({"status": 418, "body": "a teapot", "headers": {"X-Mine": "yes"}}, answered),
    "delay": ({"delay_seconds": DELAY}, delayed),
    "close": ({}, cut_off),
    "close_after": ({}, cut_off),
    "truncate": ({}, truncated),
    "stuck_cursor": ({}, not_a_page),
    "drip": ({"chunk_bytes": 120, "interval_seconds": 0.03}, dripped),
}


def test_every_kind_is_tested_here() -> None:
    assert set(STRIKES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_strikes_the_nth_call_and_only_that(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, kind: str
) -> None:
    options, strike = STRIKES[kind]
    fault = pleo.inject(kind=kind, operation="getExportJob", call=2, **options)
    assert read_job(api, job_id)["id"] == job_id
    assert api.get("/v3/export-jobs").status_code == 200, "another operation does not count"
    assert [(each["seen"], each["struck"]) for each in pleo.faults()] == [(1, 0)], "not yet"
    strike(pleo, api, job_id)
    assert read_job(api, job_id)["id"] == job_id, "the next call recovers"
    assert [(each["seen"], each["struck"]) for each in pleo.faults()] == [(3, 1)]
    assert [each["fault"] for each in pleo.requests()] == [None, None, fault, None]


@pytest.mark.parametrize(("kind", "happens"), [("close", False), ("close_after", True), ("answer", False)])
def test_an_answer_can_be_lost_with_or_without_its_effect(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, kind: str, happens: bool
) -> None:
    pleo.inject(kind=kind, operation="createExportJobEvent")
    if kind == "answer":
        assert send_event(api, job_id, "started").status_code == 503
    else:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            send_event(api, job_id, "started")
    told = [each["status"] for each in pleo.requests(operation="createExportJobEvent")]
    assert told == ([503] if kind == "answer" else [None])
    assert read_job(api, job_id)["status"] == ("in_progress" if happens else "pending")
    assert send_event(api, job_id, "started").status_code == (422 if happens else 202)


def test_a_truncated_answer_has_had_its_effect(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    job_id = pleo.create_job(1, status="in_progress")
    updates = [{"accountingEntryId": entry_ids(pleo, job_id)[0], "status": "successful"}]
    pleo.inject(kind="truncate", method="PUT")
    with pytest.raises(httpx.RemoteProtocolError):
        api.put(f"/v3/export-jobs/{job_id}/items", json=updates)
    assert pleo.job(job_id)["counts"]["successful"] == 1


def test_a_stuck_cursor_leads_to_the_same_page_until_it_is_taken_back(
    pleo: EmbeddedPleo, api: httpx.Client
) -> None:
    job_id = pleo.create_job(25)
    path = f"/v3/export-jobs/{job_id}/items"
    fault = pleo.inject(kind="stuck_cursor", path="/v3/export-jobs/*/items", call=2, times=None)
    first = api.get(path).json()
    second, third = (
        api.get(path, params={"after": first["pagination"]["endCursor"]}).json() for _ in range(2)
    )
    assert second["pagination"]["hasNextPage"] is True
    assert second["pagination"]["endCursor"] == first["pagination"]["endCursor"]
    assert second["data"] == third["data"]
    pleo.clear_faults(fault)
    assert [len(page) for page in pages(api, path, {})] == [20, 5]


def test_a_fault_can_last(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> None:
    pleo.inject(kind="answer", times=3, call=2, status=429, headers={"Retry-After": "1"}, body={"type": "X"})
    answers = [api.get("/v3/export-jobs") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 429, 200, 200]
    assert answers[1].json() == {"type": "X"} and answers[1].headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("which", "struck"),
    [
        ({"path": "/v3/export-jobs/*"}, [False, True, False]),
        ({"path": "/v3/export-jobs**"}, [True, True, True]),
        ({"path": "/v3/**/items"}, [False, False, True]),
        ({"method": "get", "path": "/v3/export-jobs"}, [True, False, False]),
        ({"method": "POST"}, [False, False, False]),
        ({"operation": "listExportJobItems"}, [False, False, True]),
        ({"operation": "listExportJobItems", "path": "/v3/export-jobs"}, [False, False, False]),
        ({}, [True, True, True]),
    ],
)
def test_a_fault_chooses_its_calls(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str, which: dict[str, str], struck: list[bool]
) -> None:
    pleo.inject(kind="answer", status=500, times=None, **which)
    paths = ["/v3/export-jobs", f"/v3/export-jobs/{job_id}", f"/v3/export-jobs/{job_id}/items"]
    assert [api.get(path).status_code == 500 for path in paths] == struck
    pleo.clear_faults()
    assert [api.get(path).status_code for path in paths] == [200, 200, 200]


def test_of_two_faults_the_earlier_one_strikes_and_both_count(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    pleo.inject(kind="answer", status=500)
    pleo.inject(kind="answer", status=502, times=2)
    assert [api.get("/v3/export-jobs").status_code for _ in range(3)] == [500, 502, 200]
    assert [(each["seen"], each["struck"]) for each in pleo.faults()] == [(3, 1), (3, 2)]


def test_the_token_endpoint_can_be_struck_too(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": pleo.refresh_token}
    pleo.inject(kind="close", path="/oauth/token")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        anyone.post("/oauth/token", data=form, auth=(pleo.client_id, pleo.client_secret))
    again = anyone.post("/oauth/token", data=form, auth=(pleo.client_id, pleo.client_secret))
    assert again.status_code == 200, "the token was not spent"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"kind": "explode"},
        {"kind": "answer", "status": 199},
        {"kind": "answer", "status": 512},
        {"kind": "answer", "status": 204, "body": "x"},
        {"kind": "answer", "headers": {"x": "a\nb"}},
        {"kind": "answer", "headers": {"x": "€"}},
        {"kind": "answer", "headers": {"a b": "c"}},
        {"kind": "close", "call": 0},
        {"kind": "close", "times": 0},
        {"kind": "close", "operation": "getExportJobs"},
        {"kind": "drip", "chunkBytes": 0},
        {"kind": "delay", "delaySeconds": -1},
        {"kind": "delay", "delaySeconds": True},
        {"kind": "delay", "seconds": 1},
    ],
)
def test_a_fault_that_cannot_be_is_refused_and_none_is_ordered(
    pleo: EmbeddedPleo, api: httpx.Client, order: dict[str, object]
) -> None:
    with pytest.raises(Refusal) as refused:
        pleo.inject(order)
    assert refused.value.status == 400
    assert pleo.faults() == []
    assert api.get("/v3/export-jobs").status_code == 200
