"""What is to become of the items of one job, before anything is written.

Without Prefect, so that `pleo-export plan` shows the very plan that a run carries out.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.accounting.booking import Entry
from adapters.accounting.item_failures import ItemFailureKind
from adapters.pleo.items import FetchedItems
from flows.lines import Line
from flows.rules import mapping, outcome
from flows.rules.periods import in_open_period
from flows.rules.rebooking import rebooked, rebooking_reference
from flows.session import Session


async def plan(session: Session, fetched: FetchedItems) -> list[Line]:
    """Map every unfinished item and look up what the accounting system knows of it; reads only.

    Raises:
        CheckFailed: the accounting system could not be asked.

    """
    settings = mapping.MappingSettings.of(session.connection, session.system.capabilities)
    lines = [Line(refused.reference, result=refused) for refused in outcome.not_readable(fetched)]
    mapped = mapping.entries_of(fetched.to_book, settings)
    for item, made in zip(fetched.to_book, mapped, strict=True):
        entry, refused = (made, None) if isinstance(made, Entry) else (None, made)
        lines.append(Line(item.accounting_entry_id, item, entry, refused))
    await _look_up(session, lines)
    await _examine(session, lines)
    return lines


async def _look_up(session: Session, lines: Sequence[Line]) -> None:
    """Take what is in the books already for booked, whatever the mapping says of it now (U13).

    Where the session rebooks, only what this job has rebooked already; the rest is booked once more. An
    entry that cannot be mapped cannot be rebooked either, and fails.
    """
    found = await session.system.find([line.reference for line in lines])
    own = {line.reference: rebooking_reference(session.job.id, line.reference) for line in lines}
    wanted = [own[line.reference] for line in lines if session.rebook or line.reference in found]
    of_this_job = await session.system.find(wanted) if wanted else {}
    for line in lines:
        earlier = found.get(line.reference)
        if booked := of_this_job.get(own[line.reference]):
            line.result, line.earlier = booked, True
        elif not session.rebook:
            if earlier:
                line.result, line.earlier = earlier, True
        elif line.entry:
            line.entry, line.first = rebooked(line.entry, session.job.id), earlier


async def _examine(session: Session, lines: Sequence[Line]) -> None:
    open_lines = [line for line in lines if line.result is None and line.entry]
    for again in (True, False):
        failures = await session.system.examine([line.entry for line in open_lines if line.entry])
        moved = []
        for line in open_lines:
            if line.entry is None or (failure := failures.get(line.entry.reference)) is None:
                continue
            if failure.kind is ItemFailureKind.PERIOD_CLOSED and again:
                day = await session.system.next_open_day(line.entry.date)
                settled = in_open_period(line.entry, day, session.connection.closed_period)
                if isinstance(settled, Entry):
                    line.entry = settled
                    moved.append(line)
                    continue
            line.refuse(failure)
        open_lines = moved
        if not moved:
            return
