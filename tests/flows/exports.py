"""What tests of whole exports share: the books they start from, jobs that fit them, what became of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.support.fava_server import FavaServer

Export = Callable[..., Any]
BOOKS = """\
option "title" "Books of Example"
option "operating_currency" "EUR"
option "documents" "documents"
2020-01-01 open Assets:Pleo:Wallet EUR
2020-01-01 open Liabilities:Employees EUR
2020-01-01 open Expenses:Travel
2020-01-01 open Expenses:Meals
"""


def make_job(pleo: EmbeddedPleo, items: int = 5, **order: Any) -> str:
    order = {
        "contra_account": "Assets:Pleo:Wallet",
        "accounts": ["Expenses:Travel", "Expenses:Meals"],
        **order,
    }
    return pleo.create_job(items=items, **order)


def statuses(pleo: EmbeddedPleo, job_id: str) -> dict[str, int]:
    return {status: n for status, n in pleo.job(job_id)["counts"].items() if n}


def links(fava: FavaServer) -> list[str]:
    """Every reference in the ledger file, as often as it stands there."""
    words = fava.ledger.read_text().split()
    return sorted(word.removeprefix("^pleo-") for word in words if word.startswith("^pleo-"))


def entries(pleo: EmbeddedPleo, job_id: str) -> list[str]:
    return sorted(item["accountingEntryId"] for item in pleo.job(job_id)["items"])


def events(pleo: EmbeddedPleo, job_id: str) -> list[str]:
    return [event["event"] for event in pleo.job(job_id)["events"] if event["answer"] == 202]
