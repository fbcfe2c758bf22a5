"""From verified deliveries to started runs: each job once, and nothing acknowledged that could be lost.

A message that Pleo repeats, under its `webhook-id` or its `eventId`, names the same job, and so would a
second message about it: so the job is what is remembered (L108). The memory is bounded; what fell out of
it, or was lost by a restart, is caught by whoever starts runs (the key that it gives them).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import StrEnum

from adapters.pleo.webhooks.company import ServedCompany
from adapters.pleo.webhooks.events import CreatedJob

Start = Callable[[ServedCompany, CreatedJob], Awaitable[None]]
"""Starts the run of a job, once for a job however often it is called; returns when that is certain."""

REMEMBERED_JOBS = 10_000
MOST_UNDER_WAY = 500
"""Jobs whose start is under way; beyond, Pleo is asked to deliver again."""

AT_ONCE = 4
"""Starts that are sent at the same time; a server on SQLite gains nothing by more."""

START_SECONDS = 20
"""Time for one start, once its turn has come."""

logger = logging.getLogger("pleo_export.webhook")


class Taken(StrEnum):
    """What became of a delivery about a new job."""

    STARTED = "started"
    REPEATED = "repeated"
    LATER = "later"


class RunStarts:
    """Starts each job's run once. Only use it within one event loop."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._started: OrderedDict[CreatedJob, None] = OrderedDict()
        self._under_way: dict[CreatedJob, asyncio.Task[bool]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def take(self, company: ServedCompany, job: CreatedJob, seconds: float) -> Taken:
        """Start the job's run unless that was done; LATER if it is not certain within `seconds`.

        A start that takes longer goes on, so that the delivery's repeat finds it done.
        """
        if job in self._started:
            self._started.move_to_end(job)
            return Taken.REPEATED
        task, first = self._under_way.get(job), False
        if task is None:
            if len(self._under_way) >= MOST_UNDER_WAY:
                return Taken.LATER
            task, first = asyncio.create_task(self._run(company, job)), True
            self._under_way[job] = task
        try:
            async with asyncio.timeout(seconds):
                done = await asyncio.shield(task)
        except TimeoutError:
            return Taken.LATER
        if not done:
            return Taken.LATER
        return Taken.STARTED if first else Taken.REPEATED

    async def _run(self, company: ServedCompany, job: CreatedJob) -> bool:
        try:
            async with self._turn, asyncio.timeout(START_SECONDS):
                await self._start(company, job)
        except Exception as error:  # noqa: BLE001 - Pleo delivers again, and the schedule looks as well
            logger.warning(
                "Job %s of company %s: its run could not be started (%s); Pleo was asked to deliver again.",
                job.id,
                company.company_id,
                type(error).__name__,
            )
            return False
        else:
            self._started[job] = None
            if len(self._started) > REMEMBERED_JOBS:
                self._started.popitem(last=False)
            logger.info("Job %s of company %s: its run was started.", job.id, company.company_id)
            return True
        finally:
            self._under_way.pop(job, None)
