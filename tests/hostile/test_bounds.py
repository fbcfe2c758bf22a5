"""Answers that are too large, too many, too deep or too slow end as documented, before they do harm."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.faults import Fault, HttpFault
from adapters.http import HttpClient
from adapters.pleo import paging
from adapters.pleo.client import PleoClient
from adapters.pleo.errors import PleoError, PleoUnavailable, UnusableAnswer
from adapters.pleo.export_items import UnreadableItem
from adapters.pleo.settings import PleoSettings
from adapters.retry import RetryPolicy
from tests.flows.rules.wire import item_json, pair
from tests.support.web_server import WebServer

COMPANY = UUID("8f0a6b0f-6ad2-4901-9b0f-3a5230c44d3e")
MIB = 1024 * 1024


class Endless(WebServer):
    """A Pleo whose lists never end: each page has a cursor that was never there before.

    Attributes:
        page: the records of each page.
        pause: seconds before each.
        cursor: what a cursor begins with.

    """

    def __init__(self) -> None:
        self.page: list[Any] = []
        self.pause = 0.0
        self.cursor = ""
        self.pages = 0
        super().__init__(Starlette(routes=[Route("/{path:path}", self._answer)]))

    def _answer(self, request: Request) -> Response:
        time.sleep(self.pause)
        self.pages += 1
        return JSONResponse(
            {
                "data": self.page,
                "pagination": {"hasNextPage": True, "endCursor": f"{self.cursor}{self.pages}"},
            }
        )


@pytest.fixture
def endless() -> Iterator[Endless]:
    with Endless() as server:
        yield server


def client_of(server: WebServer) -> PleoClient:
    settings = PleoSettings.model_validate(
        {"base_url": server.origin, "api_key": "key-of-a-test", "call_deadline_seconds": 5}
    )
    return PleoClient(settings, COMPANY, policy=RetryPolicy(attempts=1))


async def test_a_list_of_large_pages_ends_in_bytes(endless: Endless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_BYTES", 8 * MIB)
    item = {"accountingEntryId": str(uuid4()), "exportJobId": str(uuid4()), "status": "x" * MIB}
    endless.page = [item]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with client_of(endless) as client:
        with pytest.raises(UnusableAnswer, match="bytes"):
            await client.list_job_items(uuid4())
        assert endless.pages <= 9
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200, "MiB"


async def test_a_list_of_slow_pages_ends_in_time(endless: Endless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_SECONDS", 0.5)
    endless.pause = 0.1
    async with client_of(endless) as client:
        with pytest.raises(PleoUnavailable, match="not complete within"):
            await client.list_job_items(uuid4())
    assert 1 <= endless.pages <= 6


@pytest.mark.parametrize("cursor", ["c" * MIB, "\r\nX-Injected: yes\r\n", "\x00", "ü☃", "../../"])
async def test_a_strange_cursor_is_a_documented_error_or_a_parameter(
    endless: Endless, monkeypatch: pytest.MonkeyPatch, cursor: str
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    endless.cursor = cursor
    async with client_of(endless) as client:
        with pytest.raises(PleoError):
            await client.list_job_items(uuid4())


VALUES = ("1E+999999999", "1E-999999999", "9" * 2000, "NaN", "Infinity", "-1E+500000000")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.timeout(20)
async def test_an_amount_that_no_expense_has_fails_its_item_alone(endless: Endless, value: str) -> None:
    strange = {**item_json(), "accountingEntryId": str(uuid4()), "amount": pair(value)}
    good = item_json()
    page = {"data": [strange, good], "pagination": {"hasNextPage": False}}

    def answer(_request: Request) -> Response:
        return Response(json.dumps(page), media_type="application/json")

    with WebServer(Starlette(routes=[Route("/{path:path}", answer)])) as server:
        async with client_of(server) as client:
            first, second = await client.list_export_items(uuid4())
    assert isinstance(first, UnreadableItem)
    assert not isinstance(second, UnreadableItem)


@pytest.mark.parametrize("life", ["1e999", "Infinity", "NaN", "-1", "0", "1e300", '"soon"', "null"])
async def test_a_token_with_a_strange_life_is_not_taken(tmp_path: Path, life: str) -> None:
    good = ["3600"]

    def answer(request: Request) -> Response:
        if request.url.path != "/oauth/token":
            page = {"data": [], "pagination": {"hasNextPage": False}}
            return JSONResponse(page)
        body = '{"access_token": "a", "refresh_token": "r", "expires_in": %s}'
        return Response(body % (good[-1]), media_type="application/json")

    methods = ["GET", "POST"]
    with WebServer(Starlette(routes=[Route("/{path:path}", answer, methods=methods)])) as server:
        oauth = {
            "client_id": "id",
            "client_secret": "secret-of-a-test",
            "refresh_token": "first-token",
            "token_url": f"{server.origin}/oauth/token",
            "token_file": tmp_path / "tokens",
        }
        settings = PleoSettings.model_validate({"base_url": server.origin, "oauth": oauth})
        async with PleoClient(settings, COMPANY, policy=RetryPolicy(attempts=1)) as client:
            good.append(life)
            with pytest.raises(PleoError):
                await client.list_jobs([])
            assert not (tmp_path / "tokens").exists()
            good.append("3600")
            assert await client.list_jobs([]) == []


def answering(status: int, body: bytes) -> WebServer:
    def answer(_request: Request) -> Response:
        return Response(body, status, media_type="application/json")

    return WebServer(Starlette(routes=[Route("/{path:path}", answer)]))


@pytest.mark.parametrize("status", [400, 401, 500])
async def test_a_refusal_is_cut_and_loses_our_credentials(status: int) -> None:
    body = b'{"message": "clerk:pass-word-1234 Y2xlcms6cGFzcy13b3JkLTEyMzQ="' + b" " * MIB + b"}"
    with answering(status, body) as server:
        async with HttpClient(server.origin, deadline=5, basic=("clerk", "pass-word-1234")) as http:
            answer = await http.request("GET", "/")
    assert len(answer.body) <= 64 * 1024
    assert b"pass-word" not in answer.body
    assert b"Y2xlcms6cGFzcy13" not in answer.body
    assert answer.body.startswith(b'{"message": "')


async def test_what_succeeds_is_left_as_it_is() -> None:
    """Books may well hold a word that is a password: an answer that is data is not touched."""
    body = json.dumps({"source": "; pass-word-1234\n"}).encode()
    with answering(200, body) as server:
        async with HttpClient(server.origin, deadline=5, basic=("clerk", "pass-word-1234")) as http:
            assert (await http.request("GET", "/")).body == body


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    with answering(200, b" " * (20 * MIB)) as server:
        async with HttpClient(server.origin, deadline=20) as http:
            with pytest.raises(HttpFault) as raised:
                await http.request("GET", "/")
            assert raised.value.fault is Fault.TOO_LARGE
