"""The reference of a rebooking: the same for the same job and entry, another one for every other (U13)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.accounting.booking import Entry, EntryLine
from flows.rules.rebooking import rebooked, rebooking_reference

LINES = (EntryLine("5.1.1", 100), EntryLine("1.1.1", -100))


@given(st.lists(st.tuples(st.uuids(), st.uuids()), min_size=2, max_size=20, unique=True))
def test_no_two_share_a_reference(pairs: list[tuple[UUID, UUID]]) -> None:
    references = [rebooking_reference(job, entry) for job, entry in pairs]
    assert len(set(references)) == len(pairs)
    assert references == [rebooking_reference(job, entry) for job, entry in pairs]
    assert not set(references) & {each for pair in pairs for each in pair}


@given(st.uuids(), st.uuids())
def test_the_entry_is_the_same_but_for_its_references(job: UUID, reference: UUID) -> None:
    entry = Entry(reference, dt.date(2026, 3, 2), "EUR", "Shop", "Lamp", LINES)
    again = rebooked(entry, job)
    assert (again.reference, again.rebooks) == (rebooking_reference(job, reference), reference)
    assert (again.date, again.currency, again.lines) == (entry.date, entry.currency, entry.lines)
