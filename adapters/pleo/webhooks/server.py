"""Serving the receiver over HTTP, with a bound on connections, their time, and the size of headers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 256
CONNECTION_SECONDS = 10.0
"""A connection carries one delivery and ends within this time, whatever the other side does."""

MOST_HEADER_BYTES = 16 * 1024
_STOP_SECONDS = 5


class CannotListen(Exception):
    """The address is taken, or not one of this machine."""


class _BoundedProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, which by itself waits for ever for the end of a request's headers."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._end = self.loop.call_later(CONNECTION_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Give a socket that listens at the address; port 0 takes a free one.

    Raises:
        CannotListen: the address cannot be had.

    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Named TCP so that asyncio turns off delays of small writes (some 40 ms an answer otherwise).
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, UnicodeError, OverflowError):
        raise CannotListen(f"{host} is not an address of this machine.") from None
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(128)
    except (OSError, OverflowError):
        listening.close()
        raise CannotListen(f"{host} port {port} is taken, or not an address of this machine.") from None
    return listening


async def serve(app: Starlette, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; deliveries under way are answered first."""
    server = _Server(
        uvicorn.Config(
            app,
            http=_BoundedProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",  # it would log a line for every malformed request
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=2,
            timeout_graceful_shutdown=_STOP_SECONDS,
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
