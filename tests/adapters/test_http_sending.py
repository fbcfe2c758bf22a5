"""What `HttpClient` sends, to which addresses, and that it goes nowhere else."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from adapters.faults import Fault, HttpFault
from adapters.http import HttpClient, Upload, can_be_requested
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


async def test_a_file_is_sent_as_part_of_a_form(echo: str, tmp_path: Path) -> None:
    path = tmp_path / "anything"
    path.write_text("all of it")
    upload = Upload('a "b".pdf', path, "application/pdf")
    async with HttpClient(echo, deadline=5) as client:
        seen = await echoed(client, "PUT", "/", form={"folder": "x y"}, files={"file": upload})
        assert seen["headers"]["content-type"].startswith("multipart/form-data; boundary=")
        assert int(seen["headers"]["content-length"]) == len(seen["body"])
        assert 'name="folder"\r\n\r\nx y\r\n' in seen["body"]
        assert 'name="file"; filename="a %22b%22.pdf"\r\nContent-Type: application/pdf' in seen["body"]
        assert "\r\n\r\nall of it\r\n" in seen["body"]


async def test_a_file_that_cannot_be_opened_is_no_fault_of_the_server(
    server: ScriptedServer, tmp_path: Path
) -> None:
    upload = Upload("a.pdf", tmp_path / "none", "application/pdf")
    async with HttpClient(server.url(), deadline=5) as client:
        with pytest.raises(FileNotFoundError):
            await client.request("PUT", "/", files={"file": upload})
        assert server.requests == []
        upload.path.write_text("there")
        assert "there" in (await echoed(client, "PUT", files={"file": upload}))["body"]


def is_open(path: Path) -> bool:
    return any(link.exists() and link.samefile(path) for link in Path("/proc/self/fd").iterdir())


async def test_an_upload_ends_at_its_deadline(server: ScriptedServer, tmp_path: Path) -> None:
    """The file is closed, whatever happens."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    server.play(steps.never())
    async with HttpClient(server.url(), deadline=0.5) as client:
        begun = time.monotonic()
        with pytest.raises(HttpFault) as caught:
            await client.request("PUT", "/", files={"file": Upload("a.pdf", path, "application/pdf")})
        assert caught.value.fault is Fault.TIMEOUT
        assert time.monotonic() - begun < 2
        assert not is_open(path)
        server.heal()
        await echoed(client)
