"""Every way for a run to go wrong that has a secret at hand: settings, and what Pleo and the books do."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.accounting.failures import CATALOGUE, FailureKind
from tests.secrets.crashing import MOMENTS

Settings = dict[str, str]


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes:
        settings: of the connection, beside what is usual; `None` takes one away.
        pleo: faults for the embedded Pleo.
        echo: status of the books' server, which repeats the request in its answer; None: another system.
        page: the echo is a page for people.
        flow: which flow is run.

    """

    settings: Mapping[str, str | None] = field(default_factory=dict)
    pleo: tuple[Mapping[str, Any], ...] = ()
    echo: int | None = None
    page: bool = False
    flow: str = "export-job"


def authorization(user: str, password: str = "") -> str:
    """Give the header of Basic credentials."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def families(secret: str) -> dict[str, dict[str, Way]]:
    """Give all ways by what goes wrong."""
    return {
        "catalogue": _of_the_catalogue(),
        "adapter": _of_an_adapter(),
        "books": _of_the_books(),
        "pleo": _of_pleo(secret),
        "settings": _of_settings(secret),
    }


def all_ways(secret: str) -> dict[str, Way]:
    """Give all ways by name."""
    return {name: way for family in families(secret).values() for name, way in family.items()}


SAMPLE = (
    "crash at find",
    "crash at reachability",
    "crash at open in check-connection",
    "books echo 400 to tryton",
    "books echo 500 to fava, a page",
    "pleo echoes at listExportItems",
    "pleo echoes at createExportJobEvent",
    "address with the secret",
    "oauth",
    "all is well",
)
"""Ways of the default suite: one of each kind, and those that once left a trace."""


def _of_the_catalogue() -> dict[str, Way]:
    faulty = {"ACCOUNTING__SYSTEM": "faulty", "ACCOUNTING__BEHAVIOUR": "fail"}
    return {
        f"{kind} at {check}": Way(
            {
                **faulty,
                "ACCOUNTING__FAILURE": kind.value,
                "ACCOUNTING__CHECK": check,
                "FAILURE_REPORTING": "specific",
            }
        )
        for kind in CATALOGUE
        if not kind.concerns_pleo and kind is not FailureKind.TIMED_OUT
        for check in ("reachability", "writability")
    }


def _of_an_adapter() -> dict[str, Way]:
    crashing = {"ACCOUNTING__SYSTEM": "crashing"}
    ways = {"all is well": Way(crashing)}
    for moment in MOMENTS:
        settings = {**crashing, "ACCOUNTING__MOMENT": moment}
        ways[f"crash at {moment}"] = Way(settings)
        if moment in {"open", "reachability", "aclose"}:
            ways[f"crash at {moment} in check-connection"] = Way(settings, flow="check-connection")
            ways[f"crash at {moment} in watch-exports"] = Way(settings, flow="watch-exports")
    return ways


def _of_the_books() -> dict[str, Way]:
    return {
        f"books echo {status} to {system}{', a page' if page else ''}": Way(
            {"ACCOUNTING__SYSTEM": system, "FAILURE_REPORTING": "specific"}, echo=status, page=page
        )
        for system in ("fava", "tryton")
        for status in (200, 302, 400, 401, 403, 404, 422, 429, 500, 503)
        for page in (False, True)
    }


def _of_pleo(secret: str) -> dict[str, Way]:
    sent = authorization(secret)
    bodies = {
        "": {"type": sent, "message": f"not good: {secret} in {sent}"},
        ", a page": f"<h1>Authorization: {sent}</h1><p>{secret}",
        ", as a kind that is shown": {"type": "MISSING_CONTRA_ACCOUNTS", "message": f"{secret} {sent}"},
    }
    operations = (
        "listExportJobs", "createExportJobEvent", "listExportJobItems", "listExportItems",
        "updateExportJobItems",
    )  # fmt: skip
    books = {"ACCOUNTING__SYSTEM": "crashing"}
    ways = {}
    for operation in operations:
        for what, body in bodies.items():
            for status in (400, 401, 422, 503):
                fault = {
                    "kind": "answer",
                    "operation": operation,
                    "status": status,
                    "body": body,
                    "times": None,
                }
                short = f" {status}{what}" if status != 400 or what else ""
                ways[f"pleo echoes at {operation}{short}"] = Way(books, (fault,))
    return ways


def _of_settings(secret: str) -> dict[str, Way]:
    usual = {"ACCOUNTING__SYSTEM": "crashing"}
    refusal = {"kind": "answer", "path": "/oauth/token", "status": 400, "body": secret}
    fava = {"ACCOUNTING__SYSTEM": "fava"}
    return {
        "oauth": Way({**usual, "CREDENTIALS": "oauth"}),
        "oauth refused": Way({**usual, "CREDENTIALS": "oauth"}, (refusal,)),
        "access token": Way({**usual, "CREDENTIALS": "token"}),
        "two kinds of credentials": Way({**usual, "PLEO__ACCESS_TOKEN": secret}),
        "address with the secret": Way({**fava, "ACCOUNTING__URL": f"http://clerk:{_quoted(secret)}@127.0.0.1:9"}),
        "address with the secret, not a URL": Way({**fava, "ACCOUNTING__URL": f"http://[{secret}"}),
        "address of Pleo with the secret": Way({**usual, "PLEO__BASE_URL": f"https://{_quoted(secret)}@pleo.invalid"}),
        "secret as a query": Way({**fava, "ACCOUNTING__URL": f"http://127.0.0.1:9/?key={_quoted(secret)}"}),
        "secret with a line end": Way({**usual, "PLEO__API_KEY": f"{secret}\nX: y"}),
        "secret as a number": Way({**usual, "CHECK_DEADLINE_SECONDS": secret}),
        "secret as a kind": Way({**usual, "ACCOUNTING__SYSTEM": secret}),
        "secret as a company": Way({**usual, "COMPANY_ID": secret}),
        "secret as broken JSON": Way({**usual, "ACCOUNTING": '{"password": "' + secret}),
    }  # fmt: skip


def _quoted(secret: str) -> str:
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in secret)
