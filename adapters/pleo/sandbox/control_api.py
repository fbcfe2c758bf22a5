"""The control API over HTTP: routes under `/_sandbox`, JSON in and out, no credential needed.

It is as open as the sandbox itself, which is why that binds to loopback unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .call import error_answer, read_json
from .control import Control
from .layers import serialise
from .refusals import Refusal
from .schemas import Json

_Endpoint = Callable[[Request], Awaitable[Response]]


def control_routes(control: Control) -> list[Route]:
    """Make the routes; each does one thing of `Control`."""
    return [
        _route("GET", "/health", lambda _request, _body: control.health()),
        _route("POST", "/jobs", lambda _request, body: control.create_job(body), created=True),
        _route("GET", "/jobs", lambda _request, _body: control.jobs()),
        _route("GET", "/jobs/{id}", lambda request, _body: control.job(request.path_params["id"])),
        _route(
            "POST", "/jobs/{id}/cancel", lambda request, _body: control.cancel_job(request.path_params["id"])
        ),
        _route("GET", "/requests", lambda request, _body: control.requests(request.query_params)),
        _route("DELETE", "/requests", lambda _request, _body: control.clear_requests()),
        _route("POST", "/faults", lambda _request, body: control.inject(body), created=True),
        _route("GET", "/faults", lambda _request, _body: control.faults()),
        _route("DELETE", "/faults", lambda _request, _body: control.clear_faults()),
        _route(
            "DELETE",
            "/faults/{id:int}",
            lambda request, _body: control.clear_faults(request.path_params["id"]),
        ),
        _route("GET", "/clock", lambda _request, _body: control.clock()),
        _route("PUT", "/clock", lambda _request, body: control.move_clock(body)),
        _route("POST", "/credentials", lambda _request, body: control.change_credentials(body)),
        _route("GET", "/deliveries", lambda _request, _body: control.deliveries()),
        _route("DELETE", "/installation", lambda _request, _body: control.remove_installation()),
        _route("POST", "/reset", lambda _request, _body: control.reset()),
    ]


def _route(method: str, path: str, act: Callable[[Request, Json], Json], *, created: bool = False) -> Route:
    return Route("/_sandbox" + path, _endpoint(act, 201 if created else 200), methods=[method])


def _endpoint(act: Callable[[Request, Json], Json], status: int) -> _Endpoint:
    async def answer(request: Request) -> Response:
        try:
            raw = await request.body()
            # A body may come without its media type: `curl -d` is how people will use this.
            body = read_json(raw, "application/json") if raw else {}
            return Response(serialise(act(request, body)), status, media_type="application/json")
        except Refusal as refusal:
            refused = error_answer(refusal.status, refusal.kind, refusal.message)
            return Response(refused.body, refused.status, media_type="application/json")

    return answer
