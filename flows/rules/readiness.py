"""Pre-export validation: the checks in order, against any accounting system, within their deadlines.

Used by the flow's tasks, one check a task, and by `pleo-export check`, all in a row (L41-L48).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from adapters.accounting.cautions import Caution
from adapters.accounting.contract import Check, CheckFailed, CheckOutcome, Checks, Verdict
from adapters.accounting.failures import Failure, FailureKind

logger = logging.getLogger(__name__)

_RESERVE_SECONDS = 0.05
"""What must be left of the validation deadline for one more check to be worth beginning."""


@dataclass(frozen=True, slots=True)
class ExportNeeds:
    """What one job asks of the connection, beyond a system that takes entries (L44, L46).

    Attributes:
        job_company_id: company that the job belongs to.
        connection_company_id: company that the connection is for.
        vendor_bookkeeping: whether the job's items carry vendors to be booked as payables.

    """

    job_company_id: UUID
    connection_company_id: UUID
    vendor_bookkeeping: bool = False


@dataclass(slots=True)
class Readiness:
    """The checks of one validation, with the time that they share.

    Attributes:
        system: the accounting system that is checked.
        check_deadline: seconds for one check.
        validation_deadline: seconds for all checks, counted from the first one, retries included.
        needs: what the job asks; None where no job is concerned.

    """

    system: Checks
    check_deadline: float
    validation_deadline: float
    needs: ExportNeeds | None = None
    _ends: float | None = field(default=None, init=False)

    @property
    def seconds_left(self) -> float:
        """Seconds until the validation deadline."""
        if self._ends is None:
            self._ends = time.monotonic() + self.validation_deadline
        return self._ends - time.monotonic()

    async def run(self, check: Check) -> CheckOutcome:
        """Run one check to its verdict; it never raises for what the system does, and never overruns."""
        begun = time.monotonic()
        limit = max(0.0, min(self.check_deadline, self.seconds_left))
        cautions: Sequence[Caution] = ()
        try:
            if limit < _RESERVE_SECONDS:
                raise TimeoutError
            async with asyncio.timeout(limit):
                cautions = await self._check(check)()
            failure = self._unmet_need() if check is Check.WRITABILITY else None
        except CheckFailed as refused:
            failure = refused.failure
        except TimeoutError:
            failure = Failure(FailureKind.TIMED_OUT, evidence=f"no verdict within {limit:.3g} s")
        except Exception as error:  # noqa: BLE001 - a defect of an adapter must not leave a job stuck
            logger.error("Check %s ended with an unforeseen %s", check, type(error).__name__)
            failure = Failure(FailureKind.DEFECT, evidence=type(error).__name__)
        if failure:
            failure = self._of_this_system(failure)
        verdict = Verdict.FAILED if failure else Verdict.WARNING if cautions else Verdict.PASSED
        return CheckOutcome(check, verdict, time.monotonic() - begun, failure, tuple(cautions))

    def failure_of(self, error: CheckFailed) -> Failure:
        """Give what the system raised after the checks, with its name in the sentences."""
        return self._of_this_system(error.failure)

    def _of_this_system(self, failure: Failure) -> Failure:
        return Failure(failure.kind, {"system": self.system.title, **failure.facts}, failure.evidence)

    async def run_all(self) -> list[CheckOutcome]:
        """Run the checks in their order; those after the first failure are reported as not run."""
        outcomes: list[CheckOutcome] = []
        for check in Check:
            if outcomes and not outcomes[-1].passed:
                outcomes.append(CheckOutcome(check, Verdict.NOT_RUN))
            else:
                outcomes.append(await self.run(check))
        return outcomes

    def _check(self, check: Check) -> Callable[[], Awaitable[Sequence[Caution]]]:
        checks: Mapping[Check, Callable[[], Awaitable[Sequence[Caution]]]] = {
            Check.REACHABILITY: self.system.check_reachability,
            Check.AUTH: self.system.check_auth,
            Check.WRITABILITY: self.system.check_writability,
        }
        return checks[check]

    def _unmet_need(self) -> Failure | None:
        """Company context, then bookkeeping capability: the order of L48, after connectivity."""
        if self.needs is None:
            return None
        if self.needs.job_company_id != self.needs.connection_company_id:
            return Failure(FailureKind.COMPANY_UNKNOWN)
        if self.needs.vendor_bookkeeping and not self.system.capabilities.accounts_payable:
            return Failure(FailureKind.VENDOR_BOOKKEEPING_UNSUPPORTED)
        return None


def failed_outcome(outcomes: Sequence[CheckOutcome]) -> CheckOutcome | None:
    """Give the outcome that ended validation, or None if every check passed."""
    return next((outcome for outcome in outcomes if outcome.verdict is Verdict.FAILED), None)
