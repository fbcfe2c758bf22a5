"""How much of a job's hour is left, and what may still be begun in it (L24-L27, U2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.pleo.models import ExportJob

RESERVE = timedelta(minutes=10)
"""What is kept to spare (U2): with less left, items are booked one by one, as each report buys an hour."""

LAST_START = timedelta(minutes=5)
"""With less left than this nothing is begun: one item with receipts and repeated calls can take minutes."""


class TimeShort(Exception):
    """Too little of the job's hour is left for one more item; the job is failed with this reason."""


@dataclass(slots=True)
class Deadline:
    """Counts down the time of one job, by this machine's steady clock.

    Only for a job that was in progress already are Pleo's time and this machine's compared; the reserve
    covers clocks that are some minutes apart. That the job has expired is never concluded from this: Pleo
    says so itself.

    Attributes:
        lifetime: what each accepted update buys.
        clock: steady clock, in seconds.

    """

    lifetime: timedelta
    clock: Callable[[], float] = time.monotonic
    _ends: float = field(init=False, default=0.0)

    @classmethod
    def of(
        cls, job: ExportJob, now: datetime | None = None, clock: Callable[[], float] = time.monotonic
    ) -> Deadline:
        """Begin to count for a job that was read just now (L25)."""
        deadline = cls(job.lifetime, clock)
        deadline._ends = (
            clock() + min(job.lifetime, job.deadline - (now or datetime.now(UTC))).total_seconds()
        )
        return deadline

    @property
    def left(self) -> timedelta:
        """Time until the job expires unless it is updated; negative once it should have."""
        return timedelta(seconds=self._ends - self.clock())

    def pushed_out(self, asked_at: float) -> None:
        """Note an update that Pleo accepted (L27), asked for at `asked_at` of the clock."""
        self._ends = max(self._ends, asked_at + self.lifetime.total_seconds())

    def may_begin(self, wanted: int) -> int:
        """Give how many of the wanted items may be booked before the next report.

        Raises:
            TimeShort: not even one.

        """
        reserve = min(RESERVE, self.lifetime / 6)
        if self.left >= reserve:
            return wanted
        if self.left >= min(LAST_START, reserve / 2):
            return 1
        raise TimeShort
