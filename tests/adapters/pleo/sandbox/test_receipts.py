"""Receipts: files behind signed links that need no credential and run out after 24 hours (L63, U35)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo
from tests.adapters.pleo.sandbox.calls import export_items, refusal

DAY = 24 * 3600


@pytest.fixture
def job_id(pleo: EmbeddedPleo) -> str:
    return pleo.create_job(40, types={"card_purchase": 1}, status="in_progress")


def files(api: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    return [file for item in export_items(api, job_id).values() for file in item["files"]]


def test_every_file_is_of_the_type_and_size_that_its_item_says(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client, job_id: str
) -> None:
    told = files(api, job_id)
    bodies = set()
    for file in told:
        answer = anyone.get(file["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, file["type"])
        assert len(answer.content) == file["size"]
        start = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n"}[file["type"]]
        assert answer.content.startswith(start)
        bodies.add(answer.content)
    assert {file["type"] for file in told} == {"application/pdf", "image/png"}
    assert len(bodies) == len(told), "each receipt is another one"


def test_a_link_leads_to_the_host_that_the_caller_used(
    pleo: EmbeddedPleo, api: httpx.Client, job_id: str
) -> None:
    assert all(file["url"].startswith(pleo.base_url + "/") for file in files(api, job_id))
    named = api.get(
        "/v3/export-items", params={"job_id": job_id, "limit": 100}, headers={"Host": "pleo.test:1"}
    )
    assert re.findall(r'"url":"(http://[^/]+)/', named.text)[0] == "http://pleo.test:1"
    evil = api.get("/v3/export-items", params={"job_id": job_id, "limit": 100}, headers={"Host": 'x","y":"z'})
    assert set(re.findall(r'"url":"(http://[^/]+)/', evil.text)) == {pleo.base_url}


def test_a_link_runs_out_after_a_day_and_the_next_fetch_gives_a_good_one(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client
) -> None:
    job_id = pleo.create_job(20, types={"card_purchase": 1})
    link = files(api, job_id)[0]["url"]
    pleo.advance(DAY - 5)
    assert anyone.get(link).status_code == 200, "also after its job has expired"
    pleo.advance(5)
    assert refusal(anyone.get(link)) == (403, "FORBIDDEN")
    fresh = files(api, pleo.create_job(20, types={"card_purchase": 1}))[0]["url"]
    assert anyone.get(fresh).status_code == 200


def test_a_link_that_was_tampered_with_is_refused(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client, job_id: str
) -> None:
    link = files(api, job_id)[0]["url"]
    expires = re.search(r"expires=(\d+)", link)
    assert expires
    later = link.replace(expires[0], f"expires={int(expires[1]) + 1}")
    assert later != link
    for bad in (later, link[:-1] + ("A" if link[-1] != "A" else "B"), link.partition("?")[0], link + "0"):
        assert refusal(anyone.get(bad)) == (403, "FORBIDDEN"), bad
    for odd in ("expires=²&signature=x", "expires=&signature=é", "expires=1e9&signature="):
        assert anyone.get(f"{link.partition('?')[0]}?{odd}").status_code == 403
    assert anyone.get(link).status_code == 200


def test_there_is_nothing_but_receipts_behind_the_links(
    api: httpx.Client, anyone: httpx.Client, job_id: str
) -> None:
    link = urlsplit(files(api, job_id)[0]["url"])
    folder, _, name = link.path.rpartition("/")
    for path in (f"{folder}/{name}.exe", f"{folder}/no-uuid.pdf", f"{folder}/..%2f{name}", f"{folder}/"):
        assert anyone.get(f"{path}?{link.query}").status_code == 404, path
    assert anyone.post(f"{link.path}?{link.query}").status_code == 404


def test_a_fault_can_strike_a_file(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client, job_id: str
) -> None:
    link = files(api, job_id)[0]["url"]
    pleo.inject(kind="answer", path="/_sandbox/files/*", status=503)
    assert [anyone.get(link).status_code for _ in range(2)] == [503, 200]
