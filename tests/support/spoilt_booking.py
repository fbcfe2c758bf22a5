"""An accounting system met past spoilt answers: whatever comes back is what the contract names, in time."""

from __future__ import annotations

import time

from adapters.accounting.booking import Booked, Entry, Refused, Uncertain
from adapters.accounting.contract import AccountingSystem, CheckFailed
from adapters.accounting.failures import FailureKind
from flows.rules.readiness import Readiness
from tests.support.spoiling_proxy import Spoiling, SpoilingProxy

GRACE = 20.0
"""Seconds in which a whole run must be over; it takes about 0.1 s on a machine that is not busy."""


async def booked(
    system: AccountingSystem, proxy: SpoilingProxy, spoiling: Spoiling, entry: Entry, deadline: float
) -> None:
    """Check, look up, examine and book, and find afterwards, undisturbed, what that came to."""
    begun = time.monotonic()
    proxy.begin(spoiling)
    for outcome in await Readiness(system, deadline, 3 * deadline).run_all():
        assert outcome.failure is None or outcome.failure.kind is not FailureKind.DEFECT, outcome
    proxy.begin(spoiling)
    for ask in (system.find([entry.reference]), system.examine([entry])):
        try:
            await ask
        except CheckFailed:
            continue
    proxy.begin(spoiling)
    (result,) = await system.book([entry])
    assert isinstance(result, Booked | Refused | Uncertain)
    proxy.begin(None)
    found = await system.find([entry.reference])
    assert not (isinstance(result, Booked) and entry.reference not in found)
    assert not (isinstance(result, Refused) and entry.reference in found)
    assert time.monotonic() - begun < 3 * GRACE
