"""The application: the control API under `/_sandbox`, everything else through the gate."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .call import error_answer
from .contract import load_contract
from .control import Control
from .control_api import control_routes
from .gate import Gate
from .world import World

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def make_app(world: World) -> tuple[Starlette, Control]:
    """Make the application of one world, and the control over it."""
    contract = load_contract()
    control = Control(world, contract)
    gate = Gate(world, contract)
    routes = [
        Route("/_sandbox/files/{path:path}", gate),
        *control_routes(control),
        # Every method: a misspelt order must not reach the gate, where it would count as a client's request.
        Route("/_sandbox/{path:path}", _nothing_here, methods=_METHODS),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    app.router.default = gate  # not a route: none matches a path with a line end in it
    return app, control


async def _nothing_here(_request: Request) -> Response:
    answer = error_answer(404, "NOT_FOUND", "The control API has nothing here; see docs/sandbox.md.")
    return Response(answer.body, answer.status, media_type="application/json")
