"""A whole batch of 1,000 entries: in time, in little memory, and found quickly."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from decimal import Decimal

from adapters.accounting.fava.adapter import FavaSystem
from tests.adapters.accounting.fava.checking import opened
from tests.adapters.accounting.fava.entries import TRAVEL, all_booked, an_entry, balances, errors
from tests.support.fava_server import FavaServer, ledger_text


async def test_a_thousand_entries(fava: FavaServer, record_property: Callable[[str, object], None]) -> None:
    size = FavaSystem.capabilities.batch_size
    batch = [an_entry(100 + number) for number in range(size)]
    fava.ledger.write_text(ledger_text(0))
    fava.ask("changed")
    async with opened(fava.url, deadline=60) as system:
        begun = time.perf_counter()
        results = await system.book(batch)
        seconds = time.perf_counter() - begun
        assert all_booked(results, batch)
        tracemalloc.start()
        assert all_booked(await system.book(batch), batch)  # once more: found, not booked
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        begun = time.perf_counter()
        found = await system.find([entry.reference for entry in batch])
        looking = time.perf_counter() - begun
    assert len(found) == size
    assert balances(fava)[TRAVEL] == Decimal(sum(100 + number for number in range(size))) / 100
    assert errors(fava) == []
    record_property("measured", f"{size / seconds:.0f} entries/s, {peak:.1f} MiB, found in {looking:.2f} s")
    assert seconds < 30
    assert looking < 5
    assert peak < 32
