"""What a job asks beyond a system that takes entries: its company, and maybe vendors (L44, L46)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest

from adapters.accounting.contract import Check, CheckFailed, CheckOutcome, Verdict
from adapters.accounting.failures import Failure, FailureKind
from flows.rules.readiness import ExportNeeds, Readiness, failed_outcome
from tests.support.slate import ODD, Slate, odd, raising

OURS = UUID("9b1f3f52-30c4-4d3e-8f0a-6b0f6ad2c901")
ANOTHER = UUID("00000000-0000-4000-8000-000000000001")


def verdicts(outcomes: Sequence[CheckOutcome]) -> list[str]:
    return [f"{outcome.check} {outcome.verdict}" for outcome in outcomes]


READY = ["reachability passed", "auth passed", "writability passed"]


def failure_of(outcomes: Sequence[CheckOutcome]) -> Failure:
    outcome = failed_outcome(outcomes)
    assert outcome is not None and outcome.failure is not None
    return outcome.failure


def needs(job: UUID = OURS, *, vendors: bool = False) -> ExportNeeds:
    return ExportNeeds(job, OURS, vendors)


async def test_the_job_of_another_company_is_refused() -> None:
    """After connectivity (L48): what the system says goes before what the job asks (L44)."""
    slate = Slate()
    outcomes = await Readiness(slate, 5, 10, needs(ANOTHER, vendors=True)).run_all()
    assert verdicts(outcomes) == ["reachability passed", "auth passed", "writability failed"]
    failure = failure_of(outcomes)
    assert failure.kind is FailureKind.COMPANY_UNKNOWN
    assert failure.remedy.startswith("Correct the company id in the connection")
    assert str(ANOTHER) not in f"{failure.cause} {failure.remedy}"
    assert verdicts(await Readiness(slate, 5, 10, needs()).run_all()) == READY


async def test_vendors_need_a_system_that_can_book_them() -> None:
    """L46."""
    outcomes = await Readiness(Slate(), 5, 10, needs(vendors=True)).run_all()
    assert failure_of(outcomes).kind is FailureKind.VENDOR_BOOKKEEPING_UNSUPPORTED
    assert verdicts(await Readiness(Slate(vendors=True), 5, 10, needs(vendors=True)).run_all()) == READY
    assert verdicts(await Readiness(Slate(), 5, 10, needs()).run_all()) == READY


@pytest.mark.parametrize("check", Check)
async def test_a_failing_system_goes_before_the_needs_of_the_job(check: Check) -> None:
    slate = Slate({check: raising(CheckFailed(FailureKind.READ_ONLY))})
    outcomes = await Readiness(slate, 5, 10, needs(ANOTHER)).run_all()
    assert failure_of(outcomes).kind is FailureKind.READ_ONLY


async def test_without_a_job_nothing_more_is_needed() -> None:
    assert verdicts(await Readiness(Slate(), 5, 10).run_all()) == READY


async def test_what_was_odd_stays_known_when_a_need_is_not_met() -> None:
    outcomes = await Readiness(Slate({Check.WRITABILITY: odd}), 5, 10, needs(ANOTHER)).run_all()
    assert outcomes[-1].verdict is Verdict.FAILED
    assert outcomes[-1].cautions == (ODD,)
