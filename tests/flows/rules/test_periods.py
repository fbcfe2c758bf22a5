"""Closed periods: moved to the next open day, or refused (L83, E10)."""

from __future__ import annotations

import datetime as dt

import pytest

from adapters.accounting.booking import Entry, Refused
from adapters.connection import ClosedPeriod
from flows.rules.periods import in_open_period
from tests.flows.rules.wire import booked, item

DAY = dt.date(2026, 3, 14)
ENTRY = booked(item())


@pytest.mark.parametrize("setting", ClosedPeriod)
def test_an_entry_of_an_open_day_stays_as_it_is(setting: ClosedPeriod) -> None:
    assert in_open_period(ENTRY, DAY, setting) is ENTRY


@pytest.mark.parametrize("open_day", [dt.date(2026, 4, 1), None])
def test_an_entry_of_a_closed_day_is_refused_unless_it_may_be_moved(open_day: dt.date | None) -> None:
    result = in_open_period(ENTRY, open_day, ClosedPeriod.FAIL)
    assert isinstance(result, Refused)
    assert result.reference == ENTRY.reference
    assert tuple(result.failure.told_to_pleo()) == (
        "accounting_system_validation_failure",
        "Closed accounting period",
    )


def test_an_entry_is_moved_to_the_next_open_day_and_keeps_its_own_in_the_details() -> None:
    moved = in_open_period(ENTRY, dt.date(2026, 4, 1), ClosedPeriod.NEXT_OPEN)
    assert isinstance(moved, Entry)
    assert moved.date == dt.date(2026, 4, 1)
    assert moved.details == {**ENTRY.details, "original-date": "2026-03-14"}
    assert (moved.lines, moved.reference) == (ENTRY.lines, ENTRY.reference)
    assert "original-date" not in ENTRY.details


def test_moved_twice_it_still_tells_the_day_that_pleo_gave() -> None:
    moved = in_open_period(ENTRY, dt.date(2026, 4, 1), ClosedPeriod.NEXT_OPEN)
    assert isinstance(moved, Entry)
    again = in_open_period(moved, dt.date(2026, 5, 1), ClosedPeriod.NEXT_OPEN)
    assert isinstance(again, Entry)
    assert (again.date, again.details["original-date"]) == (dt.date(2026, 5, 1), "2026-03-14")


def test_where_no_day_is_open_the_entry_is_refused() -> None:
    assert isinstance(in_open_period(ENTRY, None, ClosedPeriod.NEXT_OPEN), Refused)


def test_an_entry_is_never_moved_back() -> None:
    with pytest.raises(ValueError, match="never moved back"):
        in_open_period(ENTRY, DAY - dt.timedelta(days=1), ClosedPeriod.NEXT_OPEN)
