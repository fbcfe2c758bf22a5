"""Where an adapter is tried: its real system, and a way into each state of the scenarios.

A registered adapter `x` has its stand in `tests/contract/stands/x.py`, as the class `Stand`.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.accounting.booking import Entry
from adapters.accounting.contract import AccountingSettings, BookingAccounts
from tests.contract.scenarios import WIRE_SCENARIOS
from tests.support import steps, tls
from tests.support.scripted_server import ScriptedServer


@dataclass
class Situation:
    """A system in some state, and the connection with which it is met.

    Attributes:
        settings, accounts: of the connection.
        mend: brings the system out of the state; gives other settings if the connection has to change.

    """

    settings: AccountingSettings
    accounts: BookingAccounts = field(default_factory=BookingAccounts)
    mend: Callable[[], Situation | None] = lambda: None


class Stand(ABC):
    """One adapter's real system.

    Attributes:
        is_real: whether it is a real accounting system, and not a stand-in.
        secrets: texts that no outcome may hold.

    """

    is_real: bool = True
    secrets: tuple[str, ...] = ()

    def __init__(self, stack: ExitStack, folder: Path, kept: Path) -> None:
        """Start the system; what the stack holds ends with the session.

        Args:
            stack: ends what was started.
            folder: for the stand's files.
            kept: a folder that stays between sessions, for what takes long to make.

        """
        self.stack, self.folder, self.kept = stack, folder, kept

    @abstractmethod
    def bring_about(self, scenario: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Situation:
        """Bring the system into a scenario's state; what the stack holds is undone after the test."""

    def healthy_books(self) -> Situation:
        """Give a connection to books that entries may be left in; only of systems that keep entries."""
        raise NotImplementedError

    def an_entry(self) -> Entry:
        """Give an entry that these books take, under a reference that is new each time."""
        raise NotImplementedError

    @abstractmethod
    def trace(self) -> object:
        """Give all that the system keeps, to be compared before and after a check."""


class WireStand(Stand):
    """A stand whose system is reached over HTTP: a scripted server brings about what the wire does."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Address of the system, without a path."""

    @abstractmethod
    def healthy(self, origin: str) -> Situation:
        """Give a connection with which all is well, at the given address instead of the system's own."""

    def healthy_books(self) -> Situation:
        """See `Stand`."""
        return self.healthy(self.origin)

    @abstractmethod
    def state(self, scenario: str, stack: ExitStack) -> Situation:
        """Bring about a scenario that the wire does not."""

    def bring_about(self, scenario: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Situation:
        """See `Stand`."""
        if scenario == "healthy":
            return self.healthy(self.origin)
        if scenario not in WIRE_SCENARIOS:
            return self.state(scenario, stack)
        server = stack.enter_context(ScriptedServer(upstream=self.origin))
        scheme = "http"
        match scenario:
            case "down":
                server.close_port()
            case "hangs":
                server.play_on(steps.never())
            case "slow-drip":
                server.play_on(steps.drip())
            case "answers-html":
                server.play_on(steps.html())
            case "throttled":
                server.play_on(steps.throttled(1))
            case "server-error":
                server.play_on(steps.answer(503))
            case "tls-error":
                scheme = "https"
                server.serve_healthy_tls(tls.TRUSTED.server_context())
                monkeypatch.setattr("adapters.http._tls", tls.TRUSTED.client_context)
                server.speak_tls(tls.UNTRUSTED.server_context())
        situation = self.healthy(server.url(scheme=scheme))
        situation.mend = server.heal
        return situation


def stand_of(adapter: str) -> type[Stand]:
    """Find the stand of a registered adapter."""
    try:
        found: type[Stand] = importlib.import_module(f"tests.contract.stands.{adapter}").Stand
    except ModuleNotFoundError:
        pytest.fail(f"the adapter {adapter} is registered but has no tests/contract/stands/{adapter}.py")
    return found
