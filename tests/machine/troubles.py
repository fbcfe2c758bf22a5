"""What can go wrong in a run, at a moment that the machine chooses: with the books, or the process itself."""

from __future__ import annotations

import enum
from typing import Any

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.http import Answer
from adapters.pleo.client import PleoClient


class Killed(BaseException):
    """The process is gone: nothing after this runs."""


class Wrong(enum.Enum):
    """What happens at the moment."""

    DOWN = "down"
    READ_ONLY = "read-only"
    DEFECT = "defect"
    KILL = "kill"


class Troubles:
    """Raises at the n-th time that a moment comes, once."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int, Wrong]] = []
        self._times: dict[str, int] = {}

    def order(self, moment: str, number: int, wrong: Wrong) -> None:
        self._waiting.append((moment, number, wrong))

    def begin_run(self) -> None:
        """Count the moments of the next run."""
        self._times = {}

    def clear(self) -> None:
        self._waiting = []

    def __call__(self, moment: str) -> None:
        self._times[moment] = self._times.get(moment, 0) + 1
        for each in self._waiting:
            if each[:2] == (moment, self._times[moment]):
                self._waiting.remove(each)
                _strike(each[2])


def _strike(wrong: Wrong) -> None:
    match wrong:
        case Wrong.DOWN:
            raise CheckFailed(FailureKind.CONNECTION_REFUSED, evidence="connection refused")
        case Wrong.READ_ONLY:
            raise CheckFailed(FailureKind.READ_ONLY, evidence="HTTP 401")
        case Wrong.DEFECT:
            raise RuntimeError("a defect of the adapter")
        case Wrong.KILL:
            raise Killed


class MortalClient(PleoClient):
    """Dies with its process at the n-th request: before it goes out, or when its answer has come.

    Attributes:
        dies_at: number of the request, from 1; None: never.
        after: whether Pleo gets that request.

    """

    dies_at: int | None = None
    after: bool = False
    _sent = 0

    async def _send(self, *args: Any, **more: Any) -> Answer:
        self._sent += 1
        if self._sent == self.dies_at and not self.after:
            raise Killed
        try:
            return await super()._send(*args, **more)
        finally:
            if self._sent == self.dies_at:
                raise Killed
