"""A reverse proxy that spoils answers: the healthy server's own, with one value of them replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.web_server import WebServer

_METHODS = ["GET", "PUT", "POST"]
_HOP = {
    "connection",
    "transfer-encoding",
    "content-encoding",
    "content-length",
    "keep-alive",
    "date",
    "server",
}

HOSTILE_VALUES = (
    "null", "true", "0", "-1", '""', "[]", "{}", "NaN", "Infinity", "-Infinity", "1e308", "1e999", "9" * 4000,
    '"1E+999999999"', '"1E-999999999"', "[" * 150 + "]" * 150, "[" * 20_000 + "]" * 20_000,
    '{"a":' * 500,
    '"\\ud800"', '"\\u0000\\u001b[31m\\u202e"', '"' + "x" * 200_000 + '"', '"9999-12-31T23:59:59Z"', "1.5",
    '"0001-01-01T00:00:00+14:00"', '"' + "%2e/" * 50 + '"', '[[null,{"a":[Infinity]}]]', '{"result": null}',
    "\xff", "<html>", '"{0.__class__}%s|`[x](y)"',
)  # fmt: skip
"""Pieces of JSON, or of what is none, that stand in for one value."""


@dataclass(frozen=True)
class Spoiling:
    """Which answer is spoilt, where, and how.

    Attributes:
        request: number of the answer, from 0; all from there on if `lasting`.
        place: chooses one of the answer's values.
        value: what stands there instead.

    """

    request: int
    place: int
    value: str
    lasting: bool = False

    def strikes(self, request: int) -> bool:
        return request == self.request or (self.lasting and request > self.request)

    def spoilt(self, body: bytes) -> bytes:
        """Replace one value of a JSON body; a body that is none is replaced as a whole."""
        try:
            places = list(_places(json.loads(body)))
        except ValueError:
            return self.value.encode("latin-1")
        chosen = places[self.place % len(places)]
        mark = "this value is replaced"
        return (
            json.dumps(_with(json.loads(body), chosen, mark))
            .replace(f'"{mark}"', self.value)
            .encode("latin-1")
        )


spoilings = st.builds(
    Spoiling,
    request=st.integers(0, 12),
    place=st.integers(0, 400),
    value=st.sampled_from(HOSTILE_VALUES),
    lasting=st.booleans(),
)


class SpoilingProxy(WebServer):
    """Passes requests on, and their answers back as `spoiling` says; None: as they are.

    Attributes:
        begin: starts to count the answers again.

    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._spoiling: Spoiling | None = None
        self._answered = 0
        super().__init__(Starlette(routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)]))

    def begin(self, spoiling: Spoiling | None) -> None:
        self._spoiling, self._answered = spoiling, 0

    async def _pass_on(self, request: Request) -> Response:
        async with httpx.AsyncClient(
            base_url=self._upstream, timeout=30, trust_env=False, verify=False
        ) as client:
            answer = await client.request(
                request.method,
                request.url.path,
                params=request.url.query,
                content=await request.body(),
                headers={k: v for k, v in request.headers.items() if k not in {"host", *_HOP}},
            )
        body, number = answer.content, self._answered
        self._answered += 1
        if self._spoiling and self._spoiling.strikes(number):
            body = self._spoiling.spoilt(body)
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        return Response(b"" if answer.status_code in {204, 304} else body, answer.status_code, headers)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from _places(child, (*path, key))


def _with(value: Any, path: tuple[Any, ...], replacement: Any) -> Any:
    if not path:
        return replacement
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = replacement
    return value
