"""The invariants notice what they are for: a case that is well, and the same one with one thing wrong."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.recovery.books import Held
from tests.recovery.invariants import INVARIANTS, Invariant, Seen, violations
from tests.recovery.jobs import Job, expense
from tests.recovery.wire import Passed, Side

BOOKED, REFUSED = expense("pdf"), expense(bookable=False)
SUMS = {"Expenses:Travel": 500, "Assets:Pleo:Wallet": -500}
CHECK = Passed(Side.BOOKS, "GET", "/api/changed")
FETCH = Passed(Side.PLEO, "GET", "/v3/export-items")


def well() -> Seen:
    """A job that was completed with one item booked and one refused."""
    told = [
        {"accountingEntryId": BOOKED.entry, "status": "successful", "externalId": "pleo-1"},
        {"accountingEntryId": REFUSED.entry, "status": "failed", "externalId": None},
    ]
    state = {
        "status": "completed_with_errors",
        "items": told,
        "events": [{"event": "started", "answer": 202}, {"event": "completed_with_errors", "answer": 202}],
    }
    return Seen(
        job=Job("1", (BOOKED, REFUSED), {BOOKED.entry: SUMS, REFUSED.entry: SUMS}, {}),
        state=copy.deepcopy(state),
        updates=[{"body": [dict(each)]} for each in told],
        held={BOOKED.entry: Held(1, Counter(SUMS), BOOKED.files)},
        flaws=[],
        runs=[[CHECK, FETCH]],
        ready=[CHECK],
    )


def test_nothing_is_said_of_a_case_that_is_well() -> None:
    assert violations(well()) == []


def _left_in_progress(seen: Seen) -> Any:
    return {"state": {**seen.state, "status": "in_progress"}}


def _left_an_item(seen: Seen) -> Any:
    booked, refused = seen.state["items"]
    return {"state": {**seen.state, "items": [booked, {**refused, "status": "pending"}]}}


def _booked_twice(seen: Seen) -> Any:
    return {"held": {BOOKED.entry: Held(2, Counter(SUMS), BOOKED.files)}}


def _lost(seen: Seen) -> Any:
    return {"held": {}}


def _trace_of_a_probe(seen: Seen) -> Any:
    return {"held": {**seen.held, "probe": Held(1)}}


def _started_twice(seen: Seen) -> Any:
    return {"state": {**seen.state, "events": [seen.state["events"][0], *seen.state["events"]]}}


def _ended_with_a_refusal(seen: Seen) -> Any:
    events = [*seen.state["events"], {"event": "failed", "answer": 422}]
    return {"state": {**seen.state, "events": events}}


def _fetched_too_early(seen: Seen) -> Any:
    return {"runs": [[CHECK, FETCH], [FETCH, CHECK]]}


def _told_twice(seen: Seen) -> Any:
    return {"updates": [*seen.updates, seen.updates[0]]}


def _told_another_id(seen: Seen) -> Any:
    return {"updates": [{"body": [{**seen.updates[0]["body"][0], "externalId": "2"}]}, seen.updates[1]]}


def _attached_twice(seen: Seen) -> Any:
    return {"held": {BOOKED.entry: Held(1, Counter(SUMS), BOOKED.files * 2)}}


def _without_its_receipt(seen: Seen) -> Any:
    return {"held": {BOOKED.entry: Held(1, Counter(SUMS))}}


def _a_cent_more(seen: Seen) -> Any:
    sums = Counter({"Expenses:Travel": 501, "Assets:Pleo:Wallet": -501})
    return {"held": {BOOKED.entry: Held(1, sums, BOOKED.files)}}


def _an_error_in_the_books(seen: Seen) -> Any:
    return {"flaws": ["does not balance"]}


WRONG: dict[Callable[[Seen], Any], str] = {
    _left_in_progress: "job_ends",
    _left_an_item: "job_ends",
    _booked_twice: "booked_once",
    _lost: "booked_once",
    _trace_of_a_probe: "booked_once",
    _started_twice: "events_once",
    _ended_with_a_refusal: "events_once",
    _fetched_too_early: "items_after_checks",
    _told_twice: "reported_once",
    _told_another_id: "reported_once",
    _attached_twice: "receipts_once",
    _without_its_receipt: "receipts_once",
    _a_cent_more: "sums_agree",
    _an_error_in_the_books: "books_are_clean",
}


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__.strip("_"))
def test_each_invariant_is_noticed(spoil: Callable[[Seen], Any]) -> None:
    seen = well()
    assert WRONG[spoil] in {text.partition(":")[0] for text in violations(replace(seen, **spoil(seen)))}


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda each: each.__name__)
def test_every_invariant_has_a_case_here(invariant: Invariant) -> None:
    assert invariant.__name__ in WRONG.values()
