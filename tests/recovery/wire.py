"""All requests of a run, to Pleo and to the accounting system, in one count; any of them can be held.

A held request stops the world of the run at that point: the server has not seen it yet (`before`), or has
answered it and the answer is kept back (`after`). Then an action strikes: it kills the run or a server.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from tests.support.ports import LOOPBACK, free_port

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)\d+(?=/|$)|[0-9a-f]{64}")
_SECONDS = 60.0


class Moment(StrEnum):
    """When a request is held: `before` the server saw it, or `after` the server answered it."""

    BEFORE = "before"
    AFTER = "after"


class Side(StrEnum):
    """Who a request goes to; receipts are Pleo's."""

    PLEO = "pleo"
    BOOKS = "books"


@dataclass(frozen=True)
class Passed:
    """A request as it is told in reports: ids are left out, so that the same step of two runs is the same."""

    side: Side
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.side} {self.method} {self.path}"


@dataclass
class _Hold:
    number: int
    moment: Moment
    act: Callable[[], None]
    over: threading.Event


class Wire:
    """The way between a run and its two servers; a context manager.

    Args:
        pleo: port of Pleo on loopback.
        books: port of the accounting system on loopback.

    Attributes:
        passed: requests since `listen_anew`, in the order in which they came.
        struck: whether the held request came.

    """

    def __init__(self, *, pleo: int, books: int) -> None:
        self._upstreams = {Side.PLEO: pleo, Side.BOOKS: books}
        self._ports = {side: free_port() for side in Side}
        self._servers: dict[Side, asyncio.Server] = {}
        self._writers: dict[Side, set[asyncio.StreamWriter]] = {side: set() for side in Side}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._hold: _Hold | None = None
        self.passed: list[Passed] = []
        self.struck = False

    def address(self, side: Side) -> str:
        """Address that a run is given in place of the server's."""
        return f"http://{LOOPBACK}:{self._ports[side]}"

    def __enter__(self) -> Self:
        self._thread.start()
        for side in Side:
            self.open(side)
        return self

    def __exit__(self, *_: object) -> None:
        for side in Side:
            self.shut(side)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def listen_anew(self) -> None:
        """Begin a new count, with nothing to be held."""
        self.passed, self.struck, self._hold = [], False, None

    def hold(self, number: int, moment: Moment, act: Callable[[], None], *, over: threading.Event) -> None:
        """Hold the request of that number, from 1, and then act; its client gets no answer.

        The client's connection stays open until `over`, so that it is the action that the run notices.
        """
        self._hold = _Hold(number, moment, act, over)

    def open(self, side: Side) -> None:
        """Accept connections again, at the same address."""
        if side not in self._servers:
            asyncio.run_coroutine_threadsafe(self._open(side), self._loop).result(10)

    def shut(self, side: Side) -> None:
        """Refuse connections from now on and break those that there are, as a server that is gone does."""
        asyncio.run_coroutine_threadsafe(self._shut(side), self._loop).result(10)

    async def _open(self, side: Side) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers[side].add(writer)
            try:
                await self._serve(side, reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                self._writers[side].discard(writer)
                writer.close()

        port = self._ports[side]
        self._servers[side] = await asyncio.start_server(serve, LOOPBACK, port, limit=1 << 20)

    async def _shut(self, side: Side) -> None:
        if server := self._servers.pop(side, None):
            server.close()
            for writer in self._writers[side]:
                writer.transport.abort()

    async def _serve(self, side: Side, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request on and its answer back, then close: each request has its own connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        method, target, _version = head[0].split(" ", 2)
        self.passed.append(Passed(side, method, _ID.sub("{id}", target.partition("?")[0])))
        hold = self._hold if self._hold and self._hold.number == len(self.passed) else None
        if hold and hold.moment is Moment.BEFORE:
            await self._strike(hold)
            return
        kept = [line for line in head if not line.lower().startswith("connection:")]
        request = "\r\n".join([*kept, "Connection: close", "", ""]).encode("latin-1") + body
        answer = await self._answer(side, request)
        if hold:
            await self._strike(hold)
            return
        writer.write(answer)
        await writer.drain()

    async def _answer(self, side: Side, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, self._upstreams[side])
        try:
            writer.write(request)
            async with asyncio.timeout(_SECONDS):
                return await reader.read()
        finally:
            writer.close()

    async def _strike(self, hold: _Hold) -> None:
        self.struck = True
        await asyncio.to_thread(hold.act)
        await asyncio.to_thread(hold.over.wait, _SECONDS)
