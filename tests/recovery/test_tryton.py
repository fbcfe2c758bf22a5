"""Runs that book into a real Tryton, killed before and after every request that they send."""

from __future__ import annotations

import pytest

from tests.recovery.books import TrytonBooks
from tests.recovery.harness import Scenario, Stand, every, kill, sweep, terminate
from tests.recovery.processes import Program
from tests.recovery.scenarios import BOTH, Record, hand_on, one, several
from tests.recovery.wire import Moment

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("moment", BOTH)
def test_killed_at_every_request(tryton_stand: Stand, record_property: Record, moment: Moment) -> None:
    posted = Scenario(several, Program.WATCH)
    tally = sweep(tryton_stand, posted, f"Tryton posted: SIGKILL {moment}", kill, [moment], every())
    hand_on(tally, record_property)
    assert isinstance(tryton_stand.books, TrytonBooks)
    assert tryton_stand.books.unposted() == 0, "the last case's are posted"


def test_killed_at_every_second_request_of_drafts(tryton_stand: Stand, record_property: Record) -> None:
    drafts = Scenario(one, Program.RUN, {"POSTING": "draft"})
    tally = sweep(tryton_stand, drafts, "Tryton drafts: SIGKILL", kill, BOTH, every(2))
    hand_on(tally, record_property)


def test_terminated_at_every_fifth_request(tryton_stand: Stand, record_property: Record) -> None:
    tally = sweep(tryton_stand, Scenario(one), "Tryton: SIGTERM", terminate, BOTH, every(5))
    hand_on(tally, record_property)
