"""Serving the sandbox: in a background thread for demo, tests and benchmarks, or as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import Self, TypeVar

import uvicorn

from . import defaults
from .app import make_app
from .control import Control
from .effects import CuttableProtocol
from .schemas import Json
from .settings import SandboxSettings
from .state_file import StateFile
from .steering import Steering
from .world import World

_T = TypeVar("_T")
_START_SECONDS = 10.0
_STOP_SECONDS = 10.0


class SandboxNotStarted(Exception):
    """The sandbox could not be served: the address is taken, or not one of this machine."""


class EmbeddedPleo(Steering):
    """A Pleo of one's own, served on loopback from a background thread while the context is open.

    State outlives `stop`, so `stop` and `start` are Pleo going away and coming back, at the same address.
    Methods may be called from any thread but the server's; they do what the control API does
    (`docs/sandbox.md`).

    Attributes:
        api_key, access_token, refresh_token, client_id, client_secret, company_id: what it accepts at first.

    """

    api_key = defaults.API_KEY
    access_token = defaults.ACCESS_TOKEN
    refresh_token = defaults.REFRESH_TOKEN
    client_id = defaults.CLIENT_ID
    client_secret = defaults.CLIENT_SECRET
    company_id = defaults.COMPANY_ID

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state_file: str | Path | None = None,
        settings: SandboxSettings | None = None,
    ) -> None:
        """Prepare; nothing is served yet. Port 0 takes a free one and keeps it.

        Raises:
            UnusableStateFile: the state file is damaged, of another version, or cannot be read or written.

        """
        kept = StateFile(Path(state_file)) if state_file is not None else None
        self._world = World(settings or SandboxSettings(), kept)
        self._app, self._control = make_app(self._world)
        self._host, self._port = host, port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def base_url(self) -> str:
        """Give scheme, host and port, without a slash at the end. Known once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def start(self) -> Self:
        """Serve, and return when requests are accepted.

        Raises:
            SandboxNotStarted: the address cannot be had.

        """
        if self._thread is not None:
            return self
        listening = self._listen()
        self._port = int(listening.getsockname()[1])
        config = uvicorn.Config(
            self._app,
            http=CuttableProtocol,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(listening, ready), name="embedded-pleo", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            self.stop()
            raise SandboxNotStarted("The sandbox did not start in time.")
        return self

    def stop(self) -> None:
        """Stop serving and close all connections; the state stays. Stopping twice is harmless."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_SECONDS)
        self._server = self._thread = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Named TCP so that asyncio turns off delays of small writes (some 40 ms an answer otherwise).
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self._host, self._port))
            listening.listen(128)
        except (OSError, OverflowError) as fault:
            listening.close()
            raise SandboxNotStarted(f"Cannot listen on {self._host} port {self._port}.") from fault
        return listening

    def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        server = self._server
        if server is None:
            return

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            # The socket listens already: whoever connects before the server accepts just waits a moment.
            self._loop.call_soon(ready.set)
            await server.serve(sockets=[listening])

        asyncio.run(serve())

    def _ask(self, act: Callable[[Control], _T]) -> _T:
        """Do something where the state lives: in the server's thread, or here while nothing is served."""
        loop = self._loop
        if loop is None or not loop.is_running():
            return act(self._control)
        done: Future[_T] = Future()

        def run() -> None:
            try:
                done.set_result(act(self._control))
            except BaseException as fault:  # noqa: BLE001 - handed to the thread that asked
                done.set_exception(fault)

        loop.call_soon_threadsafe(run)
        return done.result()


def serve(
    host: str = "127.0.0.1",
    port: int = 8765,
    state_file: str | Path | None = None,
    settings: SandboxSettings | None = None,
    on_start: Callable[[EmbeddedPleo], None] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then return normally. Call it from the main thread.

    `on_start` is called once requests are accepted, for a word to the person at the terminal.

    Raises:
        SandboxNotStarted: the address cannot be had.
        UnusableStateFile: the state file is damaged or of another version.

    """
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    before: dict[signal.Signals, Json] = {
        each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with EmbeddedPleo(host=host, port=port, state_file=state_file, settings=settings) as pleo:
            if on_start is not None:
                on_start(pleo)
            ended.wait()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
