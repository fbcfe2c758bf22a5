"""A reverse proxy that asks for Basic credentials, over real HTTP: what stands before a Fava in practice."""

from __future__ import annotations

import base64

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.support.web_server import WebServer

_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
_HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "keep-alive"}


class BasicProxy(WebServer):
    """Passes requests with the right credentials to the upstream; a context manager.

    Attributes:
        username, password: what it asks for; may be changed while it runs.
        forbidden: it knows the user but answers 403.
        refused_methods: method -> status that it answers to these, although the credentials are right.

    """

    def __init__(self, upstream: str, *, username: str, password: str) -> None:
        self.upstream = upstream
        self.username = username
        self.password = password
        self.forbidden = False
        self.refused_methods: dict[str, int] = {}
        super().__init__(Starlette(routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)]))

    async def _pass_on(self, request: Request) -> Response:
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return PlainTextResponse("no", 401, {"WWW-Authenticate": 'Basic realm="books"'})
        if self.forbidden:
            return PlainTextResponse("no", 403)
        if request.method in self.refused_methods:
            return PlainTextResponse("no", self.refused_methods[request.method])
        # It speaks plain HTTP; the certificates of the machine take 20 ms to read.
        async with httpx.AsyncClient(
            base_url=self.upstream, timeout=30, trust_env=False, verify=False
        ) as client:
            answer = await client.request(
                request.method,
                request.url.path,
                params=request.url.query,
                content=await request.body(),
                headers={"content-type": request.headers.get("content-type", "application/octet-stream")},
            )
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        return Response(answer.content, answer.status_code, headers)
