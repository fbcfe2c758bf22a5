"""Entries for the tests to book."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from adapters.accounting.booking import Booked, BookingResult, Entry, EntryLine, Posting, Refused
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.accounting.tryton.adapter import TrytonSystem
from tests.support.tryton_server import ACCOUNT, OTHER_ACCOUNT

YEAR = dt.datetime.now(dt.UTC).year
DAY = dt.date(YEAR, 6, 15)


def an_entry(amount: int = 4250, *, account: str = OTHER_ACCOUNT, **values: Any) -> Entry:
    """A balanced entry of two lines."""
    given: dict[str, Any] = {
        "reference": uuid4(),
        "date": DAY,
        "currency": "EUR",
        "payee": "Cafe",
        "description": "Lunch",
        "lines": (EntryLine(account, amount, "Food"), EntryLine(ACCOUNT, -amount)),
        "posting": Posting.DRAFT,
    }
    return Entry(**{**given, **values})


def entries(number: int, **values: Any) -> list[Entry]:
    return [an_entry(100 + each, **values) for each in range(number)]


def references(given: list[Entry]) -> list[UUID]:
    return [entry.reference for entry in given]


async def book_one(system: TrytonSystem, entry: Entry) -> BookingResult:
    (result,) = await system.book([entry])
    assert result.reference == entry.reference
    return result


async def booked(system: TrytonSystem, entry: Entry) -> Booked:
    result = await book_one(system, entry)
    assert isinstance(result, Booked), result
    return result


async def refused(system: TrytonSystem, entry: Entry, kind: ItemFailureKind) -> ItemFailure:
    """Why an entry was refused, which must be of this kind."""
    result = await book_one(system, entry)
    assert isinstance(result, Refused), result
    assert result.failure.kind is kind, result
    return result.failure
