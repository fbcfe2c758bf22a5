"""Faults to order: which calls they strike and what they do to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from .refusals import InvalidRequest, no_such_record
from .schemas import Json

KINDS: Final = ("answer", "delay", "close", "close_after", "truncate", "stuck_cursor", "drip")
"""What a fault does to a call.

answer: a scripted answer, the call has no effect. delay: as usual, later. close: no effect, connection
closed. close_after: the effect happens, the connection closes without an answer. truncate: the effect
happens, half of the body arrives. stuck_cursor: the page's cursor leads to itself. drip: the body arrives
in small pieces.
"""

_LONGEST_SECONDS = 24 * 3600
_BODILESS = {204, 304}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_TEXT = re.compile(r"(?:[\x21-\x7e\xa1-\xff](?:[ \t\x21-\x7e\xa1-\xff]*[\x21-\x7e\xa1-\xff])?)?")


@dataclass(slots=True)
class Fault:
    """One fault.

    Attributes:
        method: HTTP method, or `*`.
        path: path where `*` stands for anything but a slash and `**` for anything.
        operation: `operationId` of the contract instead of, or beside, method and path.
        first: the first matching call that is struck, from 1, counted from the injection.
        times: how many calls are struck from there on; None: all.
        delay_seconds: wait before anything else.
        status, headers, body: the scripted answer.
        chunk_bytes, interval_seconds: size and distance of the pieces of a drip.
        seen, struck: matching calls so far, and those that it struck.

    """

    id: int
    kind: str
    method: str = "*"
    path: str = "**"
    operation: str | None = None
    first: int = 1
    times: int | None = 1
    delay_seconds: float = 0.0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunk_bytes: int = 1
    interval_seconds: float = 0.1
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidRequest(f"kind must be one of {', '.join(KINDS)}.")
        if not 200 <= self.status <= 511:
            raise InvalidRequest("status must be between 200 and 511.")
        if self.first < 1 or (self.times is not None and self.times < 1) or self.chunk_bytes < 1:
            raise InvalidRequest("call, times and chunkBytes must be at least 1.")
        if (
            not 0 <= self.delay_seconds <= _LONGEST_SECONDS
            or not 0 <= self.interval_seconds <= _LONGEST_SECONDS
        ):
            raise InvalidRequest("delaySeconds and intervalSeconds must be between 0 and a day.")
        if self.status in _BODILESS and self.body:
            raise InvalidRequest(f"An answer {self.status} has no body.")
        for name, text in self.headers.items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_TEXT.fullmatch(text)):
                raise InvalidRequest(f"{name!r} cannot be sent as a header.")

    def matches(self, method: str, path: str, operation: str | None) -> bool:
        """Tell whether a call is one of those that this fault counts."""
        return (
            self.method in {"*", method}
            and self.operation in {None, operation}
            and re.fullmatch(_as_pattern(self.path), path) is not None
        )

    def strikes_now(self) -> bool:
        """Count a matching call and tell whether it is struck."""
        self.seen += 1
        strikes = self.seen >= self.first and (self.times is None or self.seen < self.first + self.times)
        self.struck += strikes
        return strikes

    def describe(self) -> Json:
        """Give the fault as the control API tells it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "call": self.first,
            "times": self.times,
            "delaySeconds": self.delay_seconds,
            "status": self.status if self.kind == "answer" else None,
            "seen": self.seen,
            "struck": self.struck,
        }


@dataclass(slots=True)
class Faults:
    """All faults that were ordered, in that order; the first that strikes wins, all that match count."""

    ordered: dict[int, Fault] = field(default_factory=dict)
    created: int = 0

    def next_id(self) -> int:
        """Give the id of the next fault."""
        self.created += 1
        return self.created

    def add(self, fault: Fault) -> None:
        """Order a fault."""
        self.ordered[fault.id] = fault

    def strike(self, method: str, path: str, operation: str | None) -> Fault | None:
        """Count a call and give the fault that strikes it, if any."""
        matching = [each for each in self.ordered.values() if each.matches(method, path, operation)]
        striking = [each for each in matching if each.strikes_now()]
        return striking[0] if striking else None

    def remove(self, fault_id: int) -> None:
        """Take one fault back.

        Raises:
            Refusal: 404, there is none with this id.

        """
        if self.ordered.pop(fault_id, None) is None:
            raise no_such_record()

    def clear(self) -> None:
        """Take all faults back."""
        self.ordered.clear()


def _as_pattern(path: str) -> str:
    parts = re.split(r"(\*\*|\*)", path)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
