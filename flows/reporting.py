"""Telling Pleo what became of the items: as they settle, in time, and once more what it did not take."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from adapters.pleo.models import UNFINISHED_ITEM, ExportJobItem, ItemUpdate
from adapters.pleo.reporting import Reported, report_items
from flows.lines import Line
from flows.rules import outcome
from flows.session import Session

REPORT_AFTER_SECONDS = 300.0
"""Seconds after which results are told although fewer than a report holds; L27 allows 600 and no more."""

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many items have a result, and of how many."""


class Reports:
    """Reports the items of one job as they settle, in as few requests as L27 and L87 allow.

    Every method that sends raises `JobEnded` and `PleoError`, see `report_items`.

    Args:
        session: whose job it is.
        total: number of items that will have a result.
        progress: told after each report.

    """

    def __init__(self, session: Session, total: int, progress: Progress) -> None:
        self._session = session
        self._total = total
        self._progress = progress
        self._waiting: list[Line] = []
        self._done = 0
        self._last = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether Pleo has heard nothing for so long that it should hear what there is."""
        return time.monotonic() - self._last >= REPORT_AFTER_SECONDS

    async def add(self, line: Line) -> None:
        """Take an item that has its result, and send all that wait where it is time to."""
        self._waiting.append(line)
        if self.due or len(self._waiting) >= outcome.UPDATE_LIMIT:
            await self.send()

    async def send(self) -> None:
        """Send what waits."""
        if self._waiting:
            await _report(self._session, self._waiting)
            self._done += len(self._waiting)
            self._waiting = []
            self._last = time.monotonic()
            await self._progress(self._done, self._total)


async def report_missing(session: Session) -> list[ExportJobItem]:
    """List all items as Pleo holds them, after sending once more what it does not hold yet (L101, L102).

    What it refuses again is sent a last time without all that need not be there: it may object to a link
    or an id. What it refuses then, it refuses for good; the session has those.

    Raises:
        JobEnded: the job ended elsewhere.
        PleoError: Pleo could not be asked or told.

    """
    for update_of in (outcome.update_of, outcome.bare_update_of):
        states = await session.pleo.list_job_items(session.job.id)
        unfinished = {item.accounting_entry_id for item in states if item.status in UNFINISHED_ITEM}
        missing = [line for line in session.lines if line.reference in unfinished]
        if not missing:
            return states
        updates = [update_of(line.reference, line.result) for line in missing if line.result]
        session.refused_results = set((await _send(session, updates)).refused)
    return await session.pleo.list_job_items(session.job.id)


async def _report(session: Session, batch: Sequence[Line]) -> None:
    await _send(session, [outcome.update_of(line.reference, line.result) for line in batch if line.result])


async def _send(session: Session, updates: Sequence[ItemUpdate]) -> Reported:
    asked_at = session.deadline.clock()
    reported = await report_items(session.pleo, session.job.id, updates)
    if reported.accepted:
        session.deadline.pushed_out(asked_at)
    return reported
