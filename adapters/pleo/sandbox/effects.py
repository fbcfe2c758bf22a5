"""What a fault does to an answer on its way out, down to the connection."""

from __future__ import annotations

import asyncio
import json

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .call import Answer
from .faults import Fault
from .paging import cursor
from .schemas import Json

_TRANSPORT = "sandbox.transport"


class CuttableProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, with the connection within reach, so that it can be cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the connection into the state that uvicorn hands to every request on it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer whole."""
    await send(_start(answer))
    await send({"type": "http.response.body", "body": answer.body})


async def send_truncated(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Promise the whole body, send half of it, close the connection."""
    await send(_start(answer))
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    _transport(scope).close()
    await _gone(receive)


async def send_dripping(answer: Answer, fault: Fault, receive: Receive, send: Send) -> None:
    """Send the body in small pieces, each in time for any read time-out; stop when the caller has gone."""
    await send(_start(answer))
    gone = asyncio.ensure_future(_gone(receive))
    try:
        for place in range(0, len(answer.body), fault.chunk_bytes):
            piece = answer.body[place : place + fault.chunk_bytes]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.wait([gone], timeout=fault.interval_seconds)
            if gone.done():
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the connection without a word."""
    _transport(scope).abort()
    await _gone(receive)


def with_stuck_cursor(answer: Answer, query: dict[str, list[str]]) -> Answer:
    """Make a page say that there is more, behind a cursor that leads to this very page.

    Anything but a page stays as it is.
    """
    try:
        page: Json = json.loads(answer.body)
        pagination = page["pagination"]
    except (ValueError, KeyError, TypeError):
        return answer
    asked = query.get("after")
    pagination["hasNextPage"] = True
    pagination["endCursor"] = asked[0] if asked else pagination.get("startCursor", cursor("none", 0))
    return Answer(answer.status, json.dumps(page).encode(), answer.headers)


def _start(answer: Answer) -> Json:
    headers = [
        (name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in answer.headers.items()
    ]
    if answer.status != 204 and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    return transport


async def _gone(receive: Receive) -> None:
    """Wait until the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
