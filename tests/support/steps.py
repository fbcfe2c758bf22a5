"""What a `ScriptedServer` can do with one request that it has read."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
_PAGE = b"<!doctype html><title>Sign in</title><form method=post><input name=password></form>"


@dataclass(frozen=True)
class Exchange:
    """The connection on which a step answers.

    Attributes:
        writer: towards the client.
        healed: set when the test ends the fault; whoever waits must wait no longer than that.

    """

    writer: asyncio.StreamWriter
    healed: asyncio.Event

    def send(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Write an answer's head, and as much of its body as given."""
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
        self.writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until healed, or for some seconds; tell whether it is healed."""
        try:
            await asyncio.wait_for(self.healed.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True)
class Step:
    """One way to answer; make one by the functions below."""

    name: str
    play: Callable[[Exchange], Awaitable[None]]


def answer(
    status: int, body: bytes = b"", *, content_type: str = _JSON, headers: Mapping[str, str] | None = None
) -> Step:
    """A complete answer of any status."""

    async def play(exchange: Exchange) -> None:
        own = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
        exchange.send(status, own, body)

    return Step(str(status), play)


def throttled(retry_after: float | None = None, *, as_date: bool = False) -> Step:
    """429, with `Retry-After` in seconds, as an HTTP date, or without."""
    if retry_after is None:
        return answer(429)
    moment = email.utils.formatdate(time.time() + retry_after, usegmt=True)
    return answer(429, headers={"Retry-After": moment if as_date else f"{retry_after:g}"})


def unauthorized() -> Step:
    """401 with a challenge, as a proxy that asks for Basic credentials gives it."""
    return answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})


def login_redirect(location: str = "/sso/login?next=%2F") -> Step:
    """302 to a login page."""
    return answer(302, content_type=_HTML, headers={"Location": location})


def html() -> Step:
    """200 with a page for people."""
    return answer(200, _PAGE, content_type=_HTML)


def malformed_json() -> Step:
    """200 with JSON that breaks off, of the announced length."""
    return answer(200, b'{"data": [1, 2')


def other_json() -> Step:
    """200 with JSON of a server that is none of ours."""
    return answer(200, b'{"hello": ["world"]}')


def gzip_bomb(decoded_megabytes: int = 80) -> Step:
    """200 with a body that is small on the wire and huge when decompressed."""
    packed = gzip.compress(b" " * (decoded_megabytes << 20), compresslevel=9)
    return answer(200, packed, headers={"Content-Encoding": "gzip"})


def never() -> Step:
    """No answer at all; the connection stays open."""

    async def play(exchange: Exchange) -> None:
        await exchange.wait()

    return Step("never", play)


def drip(interval: float = 0.05) -> Step:
    """An answer that keeps coming, a byte an interval, and never ends."""

    async def play(exchange: Exchange) -> None:
        exchange.send(200, {"Content-Type": _JSON, "Content-Length": "1000000"})
        while not exchange.writer.is_closing() and not await exchange.wait(interval):
            exchange.writer.write(b" ")
            await exchange.writer.drain()

    return Step("drip", play)


def reset_in_body() -> Step:
    """Half of a body, then a TCP reset."""

    async def play(exchange: Exchange) -> None:
        exchange.send(200, {"Content-Type": _JSON, "Content-Length": "1000"}, b'{"data": ')
        await exchange.writer.drain()
        await asyncio.sleep(0.05)
        plug: socket.socket = exchange.writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.writer.transport.abort()

    return Step("reset", play)


def short_body() -> Step:
    """A regular end of the connection before the announced length is reached."""

    async def play(exchange: Exchange) -> None:
        exchange.send(200, {"Content-Type": _JSON, "Content-Length": "1000"}, b'{"data": ')

    return Step("short body", play)


def garbage() -> Step:
    """Bytes that are not HTTP."""

    async def play(exchange: Exchange) -> None:
        exchange.writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\x00\xff\x00\r\n\r\n")

    return Step("garbage", play)


def hang_up() -> Step:
    """The connection ends without a byte."""

    async def play(exchange: Exchange) -> None:
        exchange.writer.close()

    return Step("hang up", play)
