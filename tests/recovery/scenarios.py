"""The kinds of jobs, and what every test of a sweep does in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from tests.recovery.harness import Tally
from tests.recovery.jobs import Expense, expense
from tests.recovery.report import PROPERTY
from tests.recovery.wire import Moment

BOTH = (Moment.BEFORE, Moment.AFTER)

Record = Callable[[str, object], None]


def several() -> Sequence[Expense]:
    """Two items with receipts, and one that cannot be booked."""
    return [expense("png", "pdf"), expense(bookable=False), expense("pdf")]


def one() -> Sequence[Expense]:
    """One item with a receipt."""
    return [expense("pdf")]


def hand_on(tally: Tally, record_property: Record) -> None:
    """Hand the figures on, and fail for whatever was violated."""
    record_property(PROPERTY, asdict(tally))
    assert tally.cases
    assert not tally.violated, "\n".join(["", *tally.violated])
