"""The sandbox's clock: real time plus an offset, so that an hour can pass in a test."""

from __future__ import annotations

import time
from datetime import UTC, datetime

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
"""Bounds of the clock: everything that is counted from a moment within them can still be written."""


class SandboxClock:
    """A clock that ticks like the real one and can be moved. Moments are Unix seconds.

    Attributes:
        offset: seconds that the sandbox is ahead of real time; negative when behind.

    """

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Give the sandbox's present moment in Unix seconds."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds; a negative number moves it back."""
        self.offset += seconds

    def set(self, moment: float) -> None:
        """Make `moment` (Unix seconds) the present one; the clock goes on ticking from there."""
        self.offset = moment - time.time()


def as_text(moment: float) -> str:
    """Write a moment the way Pleo's export examples do: UTC, whole seconds, `Z`."""
    return datetime.fromtimestamp(int(moment), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text_or_none(moment: float | None) -> str | None:
    """Write a moment, or null where it has not come yet."""
    return None if moment is None else as_text(moment)


def from_text(text: str) -> float:
    """Read an RFC 3339 moment.

    Raises:
        ValueError: the text is no such moment, or has no time zone.

    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.timestamp()
