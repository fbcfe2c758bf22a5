"""One call of the API, already held against the contract, and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from .contract import Operation
from .layers import serialise
from .paging import PageRequest, read_page_request
from .refusals import InvalidRequest
from .schemas import Json
from .settings import SandboxSettings

LARGEST_BODY_BYTES = 16 * 1024 * 1024
DEEPEST_BODY = 100
_JSON_HEADERS = {"content-type": "application/json;charset=UTF-8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes over the wire."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the contract has passed.

    Attributes:
        path: named parts of the path.
        given: the query's texts by name.
        query: the query's typed values by name.
        body: the parsed body, None where the operation takes none.
        origin: scheme and host as the caller sees them, for links.
        now: moment of the call by the sandbox's clock, Unix seconds.

    """

    operation: Operation
    path: dict[str, str]
    given: dict[str, list[str]]
    query: dict[str, Json]
    body: Json
    origin: str
    now: float

    def page_request(self, collection: str, settings: SandboxSettings) -> PageRequest:
        """Read what page is wanted of a list.

        Raises:
            InvalidRequest: see `read_page_request`.

        """
        return read_page_request(
            self.query, self.given, collection, default=settings.page_size, ceiling=settings.page_ceiling
        )


def json_answer(status: int, value: Json) -> Answer:
    """Answer with JSON."""
    return Answer(status, serialise(value), _JSON_HEADERS)


def page_answer(page: bytes) -> Answer:
    """Answer with a page that is already written."""
    return Answer(200, page, _JSON_HEADERS)


def error_answer(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    """Answer with Pleo's error body (L111)."""
    # ASCII only: the message may quote what the caller sent, and not all of that can be encoded.
    body = json.dumps({"type": kind, "message": message}).encode()
    return Answer(status, body, {**_JSON_HEADERS, **(headers or {})})


def read_json(body: bytes, content_type: str | None) -> Json:
    """Parse a request body strictly: UTF-8, finite numbers, no lone surrogates, not too large or too deep.

    Raises:
        InvalidRequest: it is not JSON in that sense.

    """
    if (content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidRequest("The body must be application/json.")
    if len(body) > LARGEST_BODY_BYTES:
        raise InvalidRequest("The body is too large.")
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if "\\ud" in text.lower():
            serialise(value)
        if not _is_shallow(value):
            raise ValueError("nested too deep")
    except (ValueError, RecursionError) as fault:
        raise InvalidRequest("The body is not valid JSON.") from fault
    return value


def _no_constant(name: str) -> Json:
    raise ValueError(name)


def _is_shallow(value: Json) -> bool:
    # What Python can just read may be too deep for it to write, which is needed for answers and state file.
    level = [value]
    for _ in range(DEEPEST_BODY):
        level = [part for each in level for part in _parts(each)]
        if not level:
            return True
    return False


def _parts(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(text: str) -> float:
    # 1e999 is JSON, but what Python makes of it could not be written back as JSON.
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number
