"""The one table of faults on the wire: how each is made, and what `adapters.http` calls it.

Both clients, of accounting systems and of Pleo, are driven through it. Each row can be healed, so that
a test also shows the next attempt succeed:

    @pytest.mark.parametrize("case", FAULTS, ids=str)
    async def test_fault(case, server, monkeypatch):
        url = case.begin(server, monkeypatch)
        …                                # the client meets the fault at `url`
        case.end(server, monkeypatch)
        …                                # the same client or a new one succeeds at the same `url`
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.faults import Fault
from tests.support import steps, tls
from tests.support.ports import LOOPBACK
from tests.support.scripted_server import ScriptedServer

UNKNOWN_HOST = "no-such-host.invalid"


@dataclass(frozen=True)
class FaultCase:
    """One fault.

    Attributes:
        name: for people.
        fault: what `HttpFault.fault` is.
        apply: brings the server into the fault.
        status: what `HttpFault.status` is, where an answer's head was read.
        retry_after: whether the server names a wait.
        scheme, host: of the address under which the fault is met.

    """

    name: str
    fault: Fault
    apply: Callable[[ScriptedServer], None]
    status: int | None = None
    retry_after: bool = False
    scheme: str = "http"
    host: str = LOOPBACK

    def __str__(self) -> str:
        return self.name

    def begin(self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, path: str = "") -> str:
        """Bring the server into the fault and give the address (plus `path`) at which to meet it."""
        if self.scheme == "https":
            server.serve_healthy_tls(tls.TRUSTED.server_context())
            monkeypatch.setattr("adapters.http._tls", tls.TRUSTED.client_context)
        self.apply(server)
        return server.url(path, scheme=self.scheme, host=self.host)

    def end(self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the fault go away; the address stays."""
        server.heal()
        if self.host != LOOPBACK:
            _make_known(self.host, monkeypatch)


def _make_known(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a host name lead to loopback."""
    resolve = socket.getaddrinfo

    def getaddrinfo(name: Any, *rest: Any, **more: Any) -> Any:
        name = name.decode() if isinstance(name, bytes) else name
        return resolve(LOOPBACK if name == host else name, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _on(step: steps.Step) -> Callable[[ScriptedServer], None]:
    return lambda server: server.play_on(step)


def _status(status: int, **more: Any) -> FaultCase:
    return FaultCase(str(status), Fault.STATUS, _on(steps.answer(status, b"{}")), status, **more)


_BOMB = steps.gzip_bomb()

FAULTS = (
    FaultCase("refused", Fault.REFUSED, ScriptedServer.close_port),
    FaultCase("unknown host", Fault.UNKNOWN_HOST, lambda _: None, host=UNKNOWN_HOST),
    FaultCase(
        "untrusted certificate",
        Fault.TLS,
        lambda server: server.speak_tls(tls.UNTRUSTED.server_context()),
        scheme="https",
    ),
    FaultCase("no TLS under https", Fault.TLS, ScriptedServer.speak_plain, scheme="https"),
    FaultCase("time-out on connect", Fault.TIMEOUT, ScriptedServer.fill_backlog),
    FaultCase("time-out on read", Fault.TIMEOUT, _on(steps.never())),
    FaultCase("slow drip", Fault.TIMEOUT, _on(steps.drip())),
    FaultCase("reset in the body", Fault.CONNECTION_LOST, _on(steps.reset_in_body())),
    FaultCase("body too short", Fault.CONNECTION_LOST, _on(steps.short_body())),
    FaultCase("hangs up", Fault.CONNECTION_LOST, _on(steps.hang_up())),
    FaultCase("not HTTP", Fault.NOT_HTTP, _on(steps.garbage())),
    FaultCase("redirect to a login page", Fault.REDIRECT, _on(steps.login_redirect()), 302),
    FaultCase("HTML", Fault.NOT_JSON, _on(steps.html()), 200),
    FaultCase("malformed JSON", Fault.NOT_JSON, _on(steps.malformed_json()), 200),
    FaultCase("JSON of another form", Fault.WRONG_SHAPE, _on(steps.other_json()), 200),
    FaultCase("gzip bomb", Fault.TOO_LARGE, _on(_BOMB), 200),
    _status(400),
    FaultCase("401", Fault.STATUS, _on(steps.unauthorized()), 401),
    _status(403),
    _status(404),
    _status(423),
    FaultCase("429", Fault.STATUS, _on(steps.throttled()), 429),
    FaultCase("429 with seconds", Fault.STATUS, _on(steps.throttled(7)), 429, retry_after=True),
    FaultCase("429 with a date", Fault.STATUS, _on(steps.throttled(7, as_date=True)), 429, retry_after=True),
    _status(500),
    _status(502),
    _status(503),
)
