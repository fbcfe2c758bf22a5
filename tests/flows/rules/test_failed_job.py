"""Which entries of a failed job are exported again."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from adapters.pleo.models import ExportJob, ExportJobItem
from flows.rules.failed_job import JobWithItems, since_then

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def job(status: str, **items: str) -> JobWithItems:
    """A job in a state, with the states of entries A to C that it has."""
    made = ExportJob(uuid4(), UUID(int=9), status, datetime(2026, 3, 2, tzinfo=UTC), 3600, len(items))
    names = {"a": A, "b": B, "c": C}
    return JobWithItems(made, [ExportJobItem(names[name], made.id, state) for name, state in items.items()])


FAILED = job("failed", a="successful", b="abandoned", c="failed")


def test_what_the_failed_job_exported_stays() -> None:
    found = since_then(FAILED, [])
    assert (found.open, found.under_way, found.settled_by) == ((B, C), None, ())


def test_what_a_later_job_exported_is_done_even_if_that_job_failed() -> None:
    later = job("failed", b="successful", c="abandoned")
    found = since_then(FAILED, [later])
    assert (found.open, found.settled_by) == ((C,), (later.job,))


def test_a_reason_of_its_own_in_a_job_that_ended_is_for_a_person() -> None:
    later = job("completed_with_errors", b="failed", c="successful")
    assert since_then(FAILED, [later]).open == ()


def test_a_job_of_other_entries_settles_nothing() -> None:
    assert since_then(FAILED, [job("completed", a="successful")]).settled_by == ()
    unfinished = since_then(FAILED, [job("pending", a="pending")])
    assert (unfinished.open, unfinished.under_way) == ((B, C), None)


def test_an_unfinished_job_is_gone_on_with() -> None:
    later = job("in_progress", b="successful", c="pending")
    found = since_then(FAILED, [later, job("failed", b="abandoned")])
    assert (found.open, found.under_way) == ((), later.job)


def test_the_order_of_the_others_does_not_matter() -> None:
    others = [job("failed", b="abandoned", c="abandoned"), job("completed", b="successful")]
    assert since_then(FAILED, others).open == since_then(FAILED, others[::-1]).open == (C,)
