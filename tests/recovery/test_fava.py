"""Runs that book into a real Fava, killed before and after every request that they send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recovery.books import Ledger
from tests.recovery.harness import Scenario, Stand, every, kill, sweep, terminate, writes_of_items
from tests.recovery.processes import Program
from tests.recovery.scenarios import BOTH, Record, hand_on, one, several
from tests.recovery.wire import Moment


@pytest.fixture
def read_only(fava_stand: Stand) -> Iterator[Stand]:
    """A Fava that takes no entries, so that the check of writability fails."""
    books = fava_stand.books
    assert isinstance(books, Ledger)
    books.broken = True
    yield fava_stand
    books.broken = False
    books.renew()


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_sample_of_kills(fava_stand: Stand, record_property: Record) -> None:
    """The answers that matter most, for every run of the suite; the slow tests have all of them."""
    hand_on(
        sweep(fava_stand, Scenario(one), "Fava: sample", kill, [Moment.AFTER], writes_of_items),
        record_property,
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("moment", BOTH)
def test_killed_at_every_request(fava_stand: Stand, record_property: Record, moment: Moment) -> None:
    hand_on(
        sweep(fava_stand, Scenario(several), f"Fava: SIGKILL {moment}", kill, [moment], every()),
        record_property,
    )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_at_every_request_of_drafts(fava_stand: Stand, record_property: Record) -> None:
    drafts = Scenario(one, Program.WATCH, {"POSTING": "draft"})
    hand_on(
        sweep(fava_stand, drafts, "Fava drafts: SIGKILL after", kill, [Moment.AFTER], every()),
        record_property,
    )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_while_a_failure_is_found_and_reported(read_only: Stand, record_property: Record) -> None:
    refused = Scenario(several, Program.WATCH)
    hand_on(sweep(read_only, refused, "Fava read-only: SIGKILL", kill, BOTH, every()), record_property)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_terminated_at_every_third_request(fava_stand: Stand, record_property: Record) -> None:
    hand_on(sweep(fava_stand, Scenario(several), "Fava: SIGTERM", terminate, BOTH, every(3)), record_property)
