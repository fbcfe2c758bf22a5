"""Entries to book, and what a Fava says of its books, asked past the adapter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from adapters.accounting.booking import Booked, BookingResult, Entry, EntryLine, Posting
from tests.support.fava_server import FavaServer

DAY = dt.date(2024, 3, 5)
WALLET, TRAVEL = "Assets:Pleo", "Expenses:Travel"


def an_entry(
    amount: int = 4250, *, account: str = TRAVEL, reference: UUID | None = None, **more: Any
) -> Entry:
    given = {"date": DAY, "currency": "EUR", "payee": "DB", "description": "Train", **more}
    given.setdefault("lines", (EntryLine(account, amount, "Ticket"), EntryLine(WALLET, -amount)))
    return Entry(reference=reference or uuid4(), posting=given.pop("posting", Posting.FINAL), **given)


def rows(fava: FavaServer, bql: str) -> list[list[Any]]:
    fava.ask("changed")
    found: list[list[Any]] = fava.ask("query?" + urlencode({"query_string": bql}))["rows"]
    return found


def balances(fava: FavaServer) -> dict[str, Decimal]:
    """Sum of each account in EUR; those that add up to nothing are left out."""
    found = rows(fava, "select account, sum(number) where currency = 'EUR' group by account")
    return {account: Decimal(str(number)) for account, number in found if number}


def errors(fava: FavaServer) -> list[str]:
    fava.ask("changed")
    return [error["message"] for error in fava.ask("errors")]


def stored(fava: FavaServer, entry: Entry) -> list[list[Any]]:
    """Flag, payee and narration of each transaction with the entry's link."""
    return rows(fava, f"select flag, payee, narration from #entries where 'pleo-{entry.reference}' in links")


def all_booked(results: Sequence[BookingResult], entries: Sequence[Entry]) -> bool:
    return [result.reference for result in results] == [entry.reference for entry in entries] and all(
        isinstance(result, Booked) for result in results
    )
