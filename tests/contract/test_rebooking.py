"""Every adapter that keeps entries: booked once, and once more on purpose, each found under its reference."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from adapters.accounting.booking import Booked, Entry, Posting
from adapters.accounting.contract import AccountingSystem
from adapters.accounting.registry import open_system, registered
from flows.rules.rebooking import rebooked, rebooking_reference
from tests.contract.quality import quality_of
from tests.contract.stand import Stand

DEADLINE = 20.0
RULE = "rebooked-once"

each_that_keeps_entries = pytest.mark.parametrize(
    "adapter",
    [
        pytest.param(adapter, marks=pytest.mark.covers(adapter, RULE))
        for adapter in registered()
        if RULE in quality_of(adapter).done
    ],
)


@asynccontextmanager
async def opened(stand: Stand) -> AsyncIterator[AccountingSystem]:
    situation = stand.healthy_books()
    system = open_system(situation.settings, accounts=situation.accounts, deadline=DEADLINE)
    try:
        yield system
    finally:
        await system.aclose()


async def booked(system: AccountingSystem, entry: Entry) -> Booked:
    (result,) = await system.book([entry])
    assert isinstance(result, Booked), result
    assert result.reference == entry.reference
    return result


@each_that_keeps_entries
@pytest.mark.parametrize("posting", Posting)
async def test_an_entry_is_booked_once_more_for_each_job_that_asks_for_it(
    adapter: str, stands: Callable[[str], Stand], posting: Posting
) -> None:
    entry = replace(stands(adapter).an_entry(), posting=posting)
    job, later = uuid4(), uuid4()
    async with opened(stands(adapter)) as system:
        first = await booked(system, entry)
        again = rebooked(entry, job)
        assert await system.find([again.reference]) == {}
        second = await booked(system, again)
        assert second.external_id != first.external_id
        repeated = await booked(system, again)
        assert repeated.external_id == second.external_id, "an interrupted job does not rebook twice"
        assert (await booked(system, entry)).external_id == first.external_id, "nor is the first one repeated"
        third = rebooking_reference(later, entry.reference)
        found = await system.find([entry.reference, again.reference, third])
        assert {reference: each.external_id for reference, each in found.items()} == {
            entry.reference: first.external_id,
            again.reference: second.external_id,
        }, "the plain look-up finds the first one"
        assert {reference: each.reference for reference, each in found.items()} == {
            reference: reference for reference in found
        }


@each_that_keeps_entries
async def test_what_was_only_ever_rebooked_is_found_under_its_own_reference(
    adapter: str, stands: Callable[[str], Stand]
) -> None:
    entry = stands(adapter).an_entry()
    async with opened(stands(adapter)) as system:
        only = await booked(system, rebooked(entry, uuid4()))
        found = await system.find([entry.reference])
        assert set(found) == {entry.reference}, "else a later export would book it a second time"
        repeated = await booked(system, entry)
        assert repeated.external_id == found[entry.reference].external_id
        assert only.external_id
        among_many = await system.find([entry.reference, *(uuid4() for _ in range(30))])
        assert among_many == found
        assert await system.find([uuid4()]) == {}
