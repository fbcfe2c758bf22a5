"""Runs flows in every way that it is told, each after the other: `python -m tests.secrets.driver WAY …`.

A process of its own, so that all that it says is caught. The secret comes with the environment. What
Pleo is told, and how each run ended, is the last line of standard output; the rest is what it happens to say.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from adapters.environment import PREFIX
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.check_connection import check_connection
from flows.export_job import export_job
from flows.report import collected_report, record_of
from flows.terminal import print_run
from flows.watch_exports import watch_exports
from tests.secrets.ways import Way, all_ways
from tests.support.web_server import WebServer

SECRET = os.environ["TEST_SECRET"]
METHODS = ["GET", "PUT", "POST"]


class Echo(WebServer):
    """Answers with the request's own header, as debugging pages of frameworks do.

    Attributes:
        way: says how.

    """

    def __init__(self) -> None:
        self.way = Way(echo=500)
        super().__init__(Starlette(routes=[Route("/{path:path}", self._answer, methods=METHODS)]))

    async def _answer(self, request: Request) -> Response:
        said = f"not good: {request.headers.get('authorization')} {SECRET}"
        status = self.way.echo or 500
        headers = {"location": f"/login?{SECRET}"} if status == 302 else {}
        if self.way.page:
            return HTMLResponse(f"<h1>Error</h1><pre>{said}</pre>", status, headers)
        body = {"error": said, "status": status, "message": said, "data": said, "result": said, "type": said}
        return JSONResponse(body, status, headers)


def pleo_of(folder: Path) -> EmbeddedPleo:
    """Make a Pleo whose every credential is the secret, by way of its state file."""
    file = folder / "pleo.json"
    EmbeddedPleo(state_file=file)
    saved = json.loads(file.read_text())
    credentials = saved["world"]["credentials"]
    credentials["apiKeys"] = [SECRET]
    credentials["clients"] = {EmbeddedPleo.client_id: SECRET}
    credentials["grants"][0] |= {"access_token": SECRET, "refresh_token": SECRET}
    file.write_text(json.dumps(saved))
    return EmbeddedPleo(state_file=file)


def connect(way: Way, pleo: EmbeddedPleo, echo: Echo, name: str) -> None:
    """Put the connection of a way into the environment, every secret setting of it being the secret."""
    for old in [old for old in os.environ if old.startswith(PREFIX)]:
        del os.environ[old]
    settings: dict[str, str | None] = {
        "COMPANY_ID": pleo.company_id,
        "PLEO__BASE_URL": pleo.base_url,
        "PLEO__CALL_DEADLINE_SECONDS": "2",
        "PLEO__RETRY_SECONDS": "0.2",
        "CHECK_DEADLINE_SECONDS": "2",
        "VALIDATION_DEADLINE_SECONDS": "1",
        "ACCOUNTS__CONTRA": "Assets:Bank",
        "PLEO__WEBHOOK_SECRET": os.environ["TEST_WEBHOOK_SECRET"],
        "PLEO__WEBHOOK_BASIC": f"pleo:{SECRET}",
        **dict(way.settings),
    }
    match settings.pop("CREDENTIALS", "key"):
        case "key":
            settings.setdefault("PLEO__API_KEY", SECRET)
        case "token":
            settings["PLEO__ACCESS_TOKEN"] = SECRET
        case "oauth":
            settings |= {
                "PLEO__OAUTH__CLIENT_ID": pleo.client_id,
                "PLEO__OAUTH__CLIENT_SECRET": SECRET,
                "PLEO__OAUTH__REFRESH_TOKEN": SECRET,
                "PLEO__OAUTH__TOKEN_URL": f"{pleo.base_url}/oauth/token",
                "PLEO__OAUTH__TOKEN_FILE": str(Path.cwd() / f"tokens of {name}"),
            }
    match settings["ACCOUNTING__SYSTEM"]:
        case "crashing":
            settings |= {"ACCOUNTING__PASSWORD": SECRET, "ACCOUNTING__FILE": str(Path.cwd() / "books.jsonl")}
        case "fava":
            settings |= {"ACCOUNTING__USERNAME": "clerk", "ACCOUNTING__PASSWORD": SECRET}
            settings.setdefault("ACCOUNTING__URL", f"{echo.origin}/books")
        case "tryton":
            settings |= {"ACCOUNTING__DATABASE": "books", "ACCOUNTING__APPLICATION_KEY": SECRET}
            settings |= {"ACCOUNTING__URL": echo.origin, "ACCOUNTING__JOURNAL": "EXP"}
    os.environ.update({PREFIX + setting: value for setting, value in settings.items() if value is not None})


async def take(name: str, way: Way, pleo: EmbeddedPleo, echo: Echo) -> dict[str, Any]:
    """Run the flow once in this way, and say how it ended and what Pleo holds of it."""
    pleo.clear_faults()
    echo.way = way
    connect(way, pleo, echo, name)
    for old in pleo.jobs():
        if old["status"] in {"pending", "in_progress"}:
            pleo.cancel_job(old["id"])
    job_id = pleo.create_job(items=2)
    for fault in way.pleo:
        pleo.inject(dict(fault))
    flow = {"export-job": export_job, "check-connection": check_connection, "watch-exports": watch_exports}
    with collected_report() as report:
        state = await flow[way.flow](return_state=True)  # type: ignore[operator]
    print_run(report)
    print(record_of(report).model_dump_json())  # noqa: T201
    return {
        "way": name,
        "state": state.name,
        "message": state.message,
        "pleo": pleo.job(job_id),
    }


async def main(names: list[str]) -> list[dict[str, Any]]:
    ways = all_ways(SECRET)
    with ExitStack() as stack:
        pleo = stack.enter_context(pleo_of(Path(os.environ["TEST_OUTSIDE"])))
        echo = stack.enter_context(Echo())
        return [await take(name, ways[name], pleo, echo) for name in names]


if __name__ == "__main__":
    ended = asyncio.run(main(sys.argv[1:]))
    print(json.dumps(ended))  # noqa: T201
