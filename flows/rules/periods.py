"""What becomes of an entry whose day lies in a closed period (L83, E10)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from adapters.accounting.booking import Entry, Refused
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.connection import ClosedPeriod

ORIGINAL_DATE = "original-date"
"""Detail of a moved entry: the day that Pleo gave, as YYYY-MM-DD."""


def in_open_period(entry: Entry, next_open_day: dt.date | None, setting: ClosedPeriod) -> Entry | Refused:
    """Leave the entry on its day if that is open; else move it to the next open day, or refuse it.

    Args:
        entry: what is to be booked.
        next_open_day: the entry's day if it is open, else the first open one after it, if there is any.
        setting: what the operator wants.

    Raises:
        ValueError: the open day lies before the entry's: a defect of the adapter.

    """
    if next_open_day == entry.date:
        return entry
    if next_open_day is None or setting is not ClosedPeriod.NEXT_OPEN:
        return Refused(entry.reference, ItemFailure(ItemFailureKind.PERIOD_CLOSED))
    if next_open_day < entry.date:
        raise ValueError("an entry is never moved back")
    # An entry that is moved for a second time still tells the day that Pleo gave.
    details = {ORIGINAL_DATE: entry.date.isoformat(), **entry.details}
    return replace(entry, date=next_open_day, details=details)
