"""The record of requests received, for tests and for people; it never holds a credential."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from .clock import as_text
from .schemas import Json

MOST_RECORDS = 20_000
"""Older records give way to newer ones."""

FILTERS: Final = ("method", "path", "operation", "status")
"""What the record can be filtered by."""

_NEVER_KEPT: Final = frozenset({"/oauth/token"})
_SECRET_FIELDS: Final = frozenset({"endpointAuth", "customHeaders"})
_SECRET_PARAMETERS: Final = frozenset({"signature"})


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request and the status it was answered with.

    Attributes:
        at: moment of arrival by the sandbox's clock, Unix seconds.
        operation: `operationId` of the contract, None outside of it.
        credential: kind of the accepted credential, None when none was accepted or needed.
        authorized: an `Authorization` header was sent, good or not.
        status: None when the connection was closed without an answer.
        body: JSON body, parsed when read; secrets in it are masked.
        fault: id of the injected fault that struck, if any.

    """

    number: int
    at: float
    method: str
    path: str
    query: list[tuple[str, str]]
    operation: str | None
    credential: str | None
    authorized: bool
    status: int | None
    body: bytes
    fault: int | None

    def json_body(self) -> Json:
        """Give the JSON body with secrets masked; None when there was none or it was not JSON."""
        if not self.body or self.path in _NEVER_KEPT:
            return None
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        if isinstance(body, dict) and self.path.startswith("/v1/"):
            return {name: _masked(name, value) for name, value in body.items()}
        return body

    def matches(self, wanted: Mapping[str, str | None]) -> bool:
        """Tell whether this is one of those that the filters ask for; `*` in a path stands for anything."""
        method, path = wanted.get("method"), wanted.get("path")
        operation, status = wanted.get("operation"), wanted.get("status")
        return (
            (not method or self.method == method.upper())
            and (not path or fnmatchcase(self.path, path))
            and (not operation or self.operation == operation)
            and (not status or str(self.status) == status)
        )

    def describe(self) -> Json:
        """Give the record as the control API tells it."""
        return {
            "number": self.number,
            "at": as_text(self.at),
            "atUnix": self.at,
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "operation": self.operation,
            "credential": self.credential,
            "authorized": self.authorized,
            "status": self.status,
            "body": self.json_body(),
            "fault": self.fault,
        }


@dataclass(slots=True)
class ReceivedRequests:
    """The requests received, oldest first."""

    records: deque[ReceivedRequest] = field(default_factory=lambda: deque(maxlen=MOST_RECORDS))
    count: int = 0

    def add(self, record: ReceivedRequest) -> None:
        """Keep a record."""
        self.records.append(record)

    def next_number(self) -> int:
        """Number the next request, from 1; clearing the record does not start again."""
        self.count += 1
        return self.count

    def clear(self) -> None:
        """Forget all records."""
        self.records.clear()


def masked_url(url: str) -> str:
    """Mask user name and password in a URL."""
    return re.sub(r"//[^/?#]*@", "//***@", url)


def _masked(name: str, value: Json) -> Json:
    if name in _SECRET_FIELDS:
        return "***"
    return masked_url(value) if name == "endpointUrl" and isinstance(value, str) else value


def masked_query(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Mask what in a query is as good as a credential: the signature of a file link."""
    return [(name, "***" if name in _SECRET_PARAMETERS else value) for name, value in query]
