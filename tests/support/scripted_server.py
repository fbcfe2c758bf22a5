"""A TCP server whose n-th answer a test writes down; afterwards it is a reverse proxy to a healthy server.

    with ScriptedServer(upstream="http://127.0.0.1:5000") as server:
        server.play(answer(503), never())     # the first two requests; the third one passes through
        server.play_on(html())                # every request, until …
        server.heal()                         # … the fault is gone

What is not an answer but a state of the server is a method: `close_port`, `fill_backlog`, `speak_tls`,
`speak_plain`. `heal` ends those, too. It runs in a thread with its own event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from tests.support.ports import LOOPBACK, free_port
from tests.support.steps import Exchange, Step

_HEAD_LIMIT = 64 * 1024
_TLS_HANDSHAKE = b"\x16"


@dataclass(frozen=True)
class Recorded:
    """A request as it came in, without its headers: they hold credentials.

    Attributes:
        step: name of the step that was played for it; `upstream` if it was passed through.
        authorized: whether it had an `Authorization` header.

    """

    method: str
    path: str
    step: str
    authorized: bool


class ScriptedServer:
    """See the module's docstring.

    Args:
        upstream: address of the healthy server; without it, what is not scripted is answered with 404.

    Attributes:
        requests: those that arrived, in their order.
        port: where it listens.
        before_passing: called with method and path before a request goes to the upstream.
        loses_answer: asked with the number of the request, from 0; if it says so, the upstream gets the
            request and answers, but the client sees the connection end.

    """

    def __init__(self, upstream: str | None = None) -> None:
        self.upstream = upstream
        self.port = free_port()
        self.requests: list[Recorded] = []
        self.before_passing: Callable[[str, str], None] | None = None
        self.loses_answer: Callable[[int], bool] | None = None
        self._script: deque[Step | None] = deque()
        self._for_ever: Step | None = None
        self._tls: ssl.SSLContext | None = None
        self._healthy_tls: ssl.SSLContext | None = None
        self._server: asyncio.Server | None = None
        self._clogged: list[socket.socket] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._healed = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def url(self, path: str = "", *, scheme: str = "http", host: str = LOOPBACK) -> str:
        """Address of the server, or of the same port under another scheme or host name."""
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def play(self, *steps: Step) -> None:
        """Answer the next requests by these steps, one each."""
        self._script.extend(steps)

    def let_pass(self, number: int) -> None:
        """Hand the next requests to the upstream, before the rest of the script begins."""
        self._script.extend([None] * number)

    def play_on(self, step: Step) -> None:
        """Answer every request by this step until `heal`, after what `play` was given."""
        self._for_ever = step

    def heal(self) -> None:
        """End every fault: the script is empty, the port open, TLS as `serve_healthy_tls` said."""
        self._script.clear()
        self._for_ever = None
        self._tls = self._healthy_tls
        self._run(self._listen())

    def forget(self) -> None:
        """Heal, and forget the requests and the healthy TLS, for the next test."""
        self._healthy_tls = None
        self.before_passing = self.loses_answer = None
        self.heal()
        self.requests.clear()

    def serve_healthy_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS once healed (and from now on, unless another state is set afterwards)."""
        self._healthy_tls = self._tls = context

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS with this context until `heal`."""
        self._tls = context

    def speak_plain(self) -> None:
        """Speak plain HTTP, whatever clients expect, until `heal`."""
        self._tls = None

    def close_port(self) -> None:
        """Refuse connections until `heal`."""
        self._run(self._close())

    def fill_backlog(self) -> None:
        """Let attempts to connect run into the void until `heal`: the listening socket's queue is full."""
        self._run(self._close())
        listening = _bound(self.port)
        listening.listen(0)
        self._clogged = [listening]
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((LOOPBACK, self.port))
            self._clogged.append(filler)

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        await self._close()
        self._healed = asyncio.Event()
        self._server = await asyncio.start_server(self._accept, sock=_bound(self.port), limit=_HEAD_LIMIT)

    async def _close(self) -> None:
        self._healed.set()
        for clogged in self._clogged:
            clogged.close()
        self._clogged = []
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._tls is not None:
                await writer.start_tls(self._tls)
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, play one step, close the connection."""
        first = await reader.readexactly(1)
        if first == _TLS_HANDSHAKE:  # answer a TLS greeting as web servers do that speak plain HTTP
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        head = first + await reader.readuntil(b"\r\n\r\n")
        request_line, *header_lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, path, _version = request_line.split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in header_lines)]
        lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
        body = await reader.readexactly(lengths[0]) if lengths else b""
        step = self._script.popleft() if self._script else self._for_ever
        authorized = any(name.lower() == "authorization" for name, _ in headers)
        lost = self.loses_answer is not None and self.loses_answer(len(self.requests))
        self.requests.append(Recorded(method, path, step.name if step else "upstream", authorized))
        if step is not None:
            await step.play(Exchange(writer, self._healed))
        elif self.upstream is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            if self.before_passing:
                self.before_passing(method, path)
            await self._pass_on(f"{method} {path} HTTP/1.1", headers, body, None if lost else writer)
        if not writer.is_closing():
            await writer.drain()

    async def _pass_on(
        self,
        request_line: str,
        headers: list[tuple[str, str]],
        body: bytes,
        writer: asyncio.StreamWriter | None,
    ) -> None:
        """Hand the request to the upstream and its answer back, byte by byte; to nobody without a writer."""
        assert self.upstream is not None
        upstream = urlsplit(self.upstream)
        kept = [f"{name}: {value}" for name, value in headers if name.lower() != "connection"]
        head = "\r\n".join([request_line, *kept, "Connection: close", "", ""])
        up_reader, up_writer = await asyncio.open_connection(upstream.hostname, upstream.port)
        try:
            up_writer.write(head.encode("latin-1") + body)
            while chunk := await up_reader.read(65536):
                if writer is not None:
                    writer.write(chunk)
                    await writer.drain()
        finally:
            up_writer.close()


def _bound(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((LOOPBACK, port))
    return listening
