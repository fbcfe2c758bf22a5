"""A server that goes away for good in the middle of a run, and is back for the next one."""

from __future__ import annotations

import pytest

from tests.recovery.harness import Scenario, Stand, books_go, every, pleo_goes, sweep
from tests.recovery.scenarios import BOTH, Record, hand_on, one, several
from tests.recovery.wire import Moment

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def test_pleo_goes_at_every_request(fava_stand: Stand, record_property: Record) -> None:
    tally = sweep(fava_stand, Scenario(several), "Fava: Pleo goes after", pleo_goes, [Moment.AFTER], every())
    hand_on(tally, record_property)


def test_fava_goes_at_every_second_request(fava_stand: Stand, record_property: Record) -> None:
    hand_on(sweep(fava_stand, Scenario(one), "Fava goes", books_go, BOTH, every(2)), record_property)


def test_tryton_goes_at_some_requests(tryton_stand: Stand, record_property: Record) -> None:
    hand_on(sweep(tryton_stand, Scenario(one), "Tryton goes", books_go, BOTH, every(7)), record_property)
