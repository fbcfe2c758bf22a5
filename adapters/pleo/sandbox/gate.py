"""The gate: every request passes here. It recognises credentials, applies faults, and keeps the record."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from .api import PleoApi, RawRequest, safe_host
from .call import Answer, error_answer
from .contract import Contract
from .effects import cut, send_answer, send_dripping, send_truncated, with_stuck_cursor
from .faults import Fault
from .oauth import answer_token_request
from .receipts import MEDIA_TYPES, PLACE, link_is_good, receipt
from .received import ReceivedRequest, masked_query
from .schemas import is_uuid
from .world import World


@dataclass(slots=True)
class _Arrival:
    """A request at the gate, read and recognised."""

    request: Request
    body: bytes
    authorization: str | None
    credential: str | None
    operation: str | None
    number: int
    at: float


class Gate:
    """The ASGI application for all but the control API."""

    def __init__(self, world: World, contract: Contract) -> None:
        self._world = world
        self._api = PleoApi(world, contract)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or do to it what an injected fault says."""
        request = Request(scope, receive)
        try:
            arrival = self._recognise(request, await request.body())
        except ClientDisconnect:
            return
        fault = self._world.faults.strike(request.method, request.url.path, arrival.operation)
        if fault is None:
            answer = self._answer(arrival)
            self._record(arrival, answer.status, None)
            await send_answer(answer, send)
        else:
            await self._strike(fault, arrival, send)

    def _recognise(self, request: Request, body: bytes) -> _Arrival:
        world, authorization = self._world, request.headers.get("authorization")
        return _Arrival(
            request=request,
            body=body,
            authorization=authorization,
            credential=world.credentials.recognise(authorization, world.clock.now()),
            operation=self._api.operation_name(request.method, request.scope["path"]),
            number=world.received.next_number(),
            at=world.clock.now(),
        )

    async def _strike(self, fault: Fault, arrival: _Arrival, send: Send) -> None:
        scope, receive = arrival.request.scope, arrival.request.receive
        await asyncio.sleep(fault.delay_seconds)
        if fault.kind == "close":
            self._record(arrival, None, fault)
            await cut(scope, receive)
            return
        if fault.kind == "answer":
            answer = Answer(fault.status, fault.body, fault.headers)
        else:
            answer = self._answer(arrival)
        if fault.kind == "stuck_cursor":
            answer = with_stuck_cursor(answer, parse_qs(arrival.request.url.query))
        self._record(arrival, None if fault.kind == "close_after" else answer.status, fault)
        if fault.kind == "close_after":
            await cut(scope, receive)
        elif fault.kind == "truncate":
            await send_truncated(answer, scope, receive, send)
        elif fault.kind == "drip":
            await send_dripping(answer, fault, receive, send)
        else:
            await send_answer(answer, send)

    def _answer(self, arrival: _Arrival) -> Answer:
        """Find the answer; what it changed is on disk before it is sent."""
        request, path = arrival.request, arrival.request.scope["path"]
        if path == "/oauth/token":
            if request.method == "POST":
                answer = answer_token_request(self._world, arrival.authorization, arrival.body)
            else:
                answer = error_answer(405, "METHOD_NOT_ALLOWED", "Use POST.", {"Allow": "POST"})
        elif path.startswith(PLACE):
            answer = self._file(request, path)
        else:
            server = request.scope.get("server") or ("127.0.0.1", 80)
            host = safe_host(request.headers.get("host", ""), f"{server[0]}:{server[1]}")
            answer = self._api.answer(
                RawRequest(
                    method=request.method,
                    path=path,
                    query=request.scope["query_string"],
                    body=arrival.body,
                    content_type=request.headers.get("content-type"),
                    credential=arrival.credential,
                    origin=f"{request.url.scheme}://{host}",
                )
            )
        self._world.persist()
        return answer

    def _file(self, request: Request, path: str) -> Answer:
        """Serve a receipt behind a signed link, without any credential (U35, L63)."""
        name, _, kind = path.removeprefix(PLACE).rpartition(".")
        if request.method != "GET" or kind not in MEDIA_TYPES or not is_uuid(name):
            return error_answer(404, "NOT_FOUND", "There is no such file.")
        query, world = request.query_params, self._world
        expires, signature = query.get("expires", ""), query.get("signature", "")
        if not link_is_good(expires, signature, world.link_key, world.clock.now()):
            return error_answer(403, "FORBIDDEN", "The link is not signed or has run out.")
        return Answer(200, receipt(name, kind), {"content-type": MEDIA_TYPES[kind]})

    def _record(self, arrival: _Arrival, status: int | None, fault: Fault | None) -> None:
        request = arrival.request
        query = parse_qsl(request.url.query, keep_blank_values=True)
        self._world.received.add(
            ReceivedRequest(
                number=arrival.number,
                at=arrival.at,
                method=request.method,
                path=request.scope["path"],
                query=masked_query(query),
                operation=arrival.operation,
                credential=arrival.credential,
                authorized=arrival.authorization is not None,
                status=status,
                body=arrival.body,
                fault=fault.id if fault else None,
            )
        )
