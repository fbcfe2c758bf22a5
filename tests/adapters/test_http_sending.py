"""What `HttpClient` sends, to which addresses, and that it goes nowhere else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import TypeAdapter

from adapters.faults import Fault, HttpFault
from adapters.http import HttpClient, can_be_requested
from tests.support import steps
from tests.support.scripted_server import ScriptedServer

CLERK = ("clerk", "CANARY-91b7")
ANYTHING = TypeAdapter(dict[str, Any])


async def echoed(client: HttpClient, method: str = "GET", path: str = "/", **more: Any) -> dict[str, Any]:
    return (await client.request(method, path, **more)).expect_success().parse(ANYTHING)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(server: ScriptedServer, status: int) -> None:
    """The credentials would go wherever an answer says."""
    with ScriptedServer() as elsewhere:
        server.play(steps.answer(status, headers={"Location": elsewhere.url("/there")}))
        async with HttpClient(server.url(), deadline=5, basic=CLERK) as client:
            with pytest.raises(HttpFault) as caught:
                (await client.request("GET", "/")).expect_success()
            assert (caught.value.fault, caught.value.status) == (Fault.REDIRECT, status)
            await echoed(client)
        assert elsewhere.requests == []


async def test_what_is_sent(echo: str) -> None:
    async with HttpClient(f"{echo}/api", deadline=5, headers={"X-Own": "1"}, basic=CLERK) as client:
        params = {"statuses": ["pending", "in_progress"], "q": "a b&c=ü"}
        seen = await echoed(client, "GET", "/jobs", params=params)
        assert seen["path"] == "/api/jobs"
        assert seen["params"] == [["statuses", "pending"], ["statuses", "in_progress"], ["q", "a b&c=ü"]]
        assert seen["headers"]["x-own"] == "1"
        assert seen["headers"]["accept"] == "application/json"
        pair = base64.b64encode(":".join(CLERK).encode()).decode()
        assert seen["headers"]["authorization"] == f"Basic {pair}"

        seen = await echoed(client, "PUT", "/items", json={"entries": []}, headers={"X-Own": "2"})
        assert (seen["method"], ANYTHING.validate_json(seen["body"])) == ("PUT", {"entries": []})
        assert seen["headers"]["content-type"] == "application/json"
        assert seen["headers"]["x-own"] == "2"

        seen = await echoed(client, "POST", "/token", form={"grant_type": "refresh token"})
        assert seen["body"] == "grant_type=refresh+token"
        assert seen["headers"]["content-type"] == "application/x-www-form-urlencoded"


async def test_without_credentials_none_are_sent(echo: str) -> None:
    async with HttpClient(echo, deadline=5) as client:
        assert "authorization" not in (await echoed(client))["headers"]


@pytest.mark.parametrize(
    ("url", "can"),
    [
        ("https://books.example", True),
        ("http://127.0.0.1:5000/books", True),
        ("http://[::1]:5000", True),
        ("http://bücher.example", True),
        ("http://[::1", False),
        ("http://books example", False),
        ("http://books.example:port", False),
        ("http://books.example\n", False),
        ("http://\udcff.example", False),
        ("http://" + "a" * 70_000, False),
        ("http:///books", False),
        ("books", False),
        ("", False),
    ],
)
def test_addresses_that_can_be_requested(url: str, can: bool) -> None:
    assert can_be_requested(url) is can


@pytest.mark.parametrize("url", ["http://[::1", "ftp://books.example", "http://books.example:port", "books"])
async def test_an_address_that_cannot_be_requested_is_a_fault(url: str) -> None:
    with pytest.raises(HttpFault) as caught:
        async with HttpClient(url, deadline=5) as client:
            await client.request("GET", "/")
    assert caught.value.fault is Fault.BAD_ADDRESS
    assert not caught.value.may_have_arrived
