"""What may still be begun in a job's hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.pleo.models import ExportJob
from flows.rules.deadline import Deadline, TimeShort

CREATED = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    """A steady clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, time: timedelta) -> None:
        self.seconds += time.total_seconds()


def job(updated: datetime | None = None) -> ExportJob:
    return ExportJob(uuid4(), uuid4(), "in_progress", CREATED, 3600, 3, last_updated_at=updated)


def deadline(clock: Clock, *, age: timedelta, updated: datetime | None = None) -> Deadline:
    return Deadline.of(job(updated), (updated or CREATED) + age, clock)


@pytest.mark.parametrize("updated", [None, CREATED + 90 * MINUTE], ids=["never updated", "updated"])
def test_the_hour_counts_from_the_last_update(updated: datetime | None) -> None:
    assert deadline(Clock(), age=20 * MINUTE, updated=updated).left == 40 * MINUTE


@pytest.mark.parametrize("updated", [datetime.max.replace(tzinfo=UTC), CREATED])
@pytest.mark.parametrize("expires_in", [3600, 10**18, -(10**18)])
def test_times_that_no_calendar_has_end_within_a_year(updated: datetime, expires_in: int) -> None:
    strange = ExportJob(uuid4(), uuid4(), "in_progress", CREATED, expires_in, 3, last_updated_at=updated)
    assert Deadline.of(strange, CREATED, Clock()).left <= timedelta(days=365)


@pytest.mark.parametrize(
    ("age", "begun"),
    [(0, 100), (49.9, 100), (50, 100), (50.1, 1), (55, 1), (55.1, None), (60, None), (300, None)],
)
def test_what_may_be_begun(age: float, begun: int | None) -> None:
    here = deadline(Clock(), age=age * MINUTE)
    if begun:
        assert here.may_begin(100) == begun
    else:
        with pytest.raises(TimeShort):
            here.may_begin(100)


def test_an_accepted_update_buys_a_whole_hour_from_when_it_was_asked_for() -> None:
    clock = Clock()
    here = deadline(clock, age=54 * MINUTE)
    assert here.may_begin(100) == 1
    asked_at = clock()
    clock.pass_by(MINUTE)
    here.pushed_out(asked_at)
    assert here.left == 59 * MINUTE
    assert here.may_begin(100) == 100


def test_an_earlier_update_does_not_take_back_what_a_later_one_bought() -> None:
    clock = Clock()
    here = deadline(clock, age=timedelta())
    clock.pass_by(MINUTE)
    here.pushed_out(clock())
    here.pushed_out(clock() - 600)
    assert here.left == 60 * MINUTE


def test_a_clock_that_is_behind_pleos_gives_no_more_than_the_hour() -> None:
    assert deadline(Clock(), age=-30 * MINUTE).left == 60 * MINUTE


def test_a_shorter_lifetime_has_a_reserve_in_proportion() -> None:
    clock = Clock()
    short = ExportJob(uuid4(), uuid4(), "in_progress", CREATED, 60, 3)
    here = Deadline.of(short, CREATED, clock)
    assert here.may_begin(100) == 100
    clock.pass_by(timedelta(seconds=51))
    assert here.may_begin(100) == 1
    clock.pass_by(timedelta(seconds=5))
    with pytest.raises(TimeShort):
        here.may_begin(100)
