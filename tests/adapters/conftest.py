"""A server that answers with what it was sent, and one in front of it that can go wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.scripted_server import ScriptedServer
from tests.support.web_server import WebServer


async def _echo(request: Request) -> JSONResponse:
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "params": request.query_params.multi_items(),
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }
    )


@pytest.fixture(scope="package")
def echo() -> Iterator[str]:
    app = Starlette(routes=[Route("/{path:path}", _echo, methods=["GET", "PUT", "POST"])])
    with WebServer(app) as server:
        yield server.origin


@pytest.fixture(scope="package")
def shared_server(echo: str) -> Iterator[ScriptedServer]:
    with ScriptedServer(upstream=echo) as server:
        yield server


@pytest.fixture
def server(shared_server: ScriptedServer) -> ScriptedServer:
    shared_server.forget()
    return shared_server
