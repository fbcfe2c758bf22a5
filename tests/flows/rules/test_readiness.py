"""The rules of pre-export validation over any accounting system (L41-L48)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest

from adapters.accounting.contract import (
    Check,
    CheckFailed,
    CheckOutcome,
    Checks,
    Verdict,
)
from adapters.accounting.failures import Failure, FailureKind, FailureReporting
from flows.rules.readiness import Readiness, failed_outcome
from tests.support.slate import ODD, Slate, after, endless, odd, raising

CANARY = "CANARY-77aa"


def verdicts(outcomes: Sequence[CheckOutcome]) -> list[str]:
    return [f"{outcome.check} {outcome.verdict}" for outcome in outcomes]


READY = ["reachability passed", "auth passed", "writability passed"]


def failure_of(outcomes: Sequence[CheckOutcome]) -> Failure:
    outcome = failed_outcome(outcomes)
    assert outcome is not None and outcome.failure is not None
    return outcome.failure


def test_the_slate_keeps_the_contract() -> None:
    assert isinstance(Slate(), Checks)


async def test_the_checks_run_in_their_order() -> None:
    slate = Slate()
    outcomes = await Readiness(slate, 5, 10).run_all()
    assert verdicts(outcomes) == READY
    assert slate.asked == [Check.REACHABILITY, Check.AUTH, Check.WRITABILITY]
    assert failed_outcome(outcomes) is None


@pytest.mark.parametrize("at", range(len(Check)))
async def test_the_first_failure_ends_validation(at: int) -> None:
    """Nothing later is asked of the system, and nothing earlier again (L48)."""
    order = list(Check)
    refused = raising(CheckFailed(FailureKind.LOCKED, evidence="HTTP 423", system="Slate"))
    slate = Slate(dict.fromkeys(order[at:], refused))
    outcomes = await Readiness(slate, 5, 10).run_all()
    assert [outcome.check for outcome in outcomes] == order
    assert [outcome.verdict for outcome in outcomes] == (
        [Verdict.PASSED] * at + [Verdict.FAILED] + [Verdict.NOT_RUN] * (len(order) - at - 1)
    )
    assert slate.asked == order[: at + 1]
    assert failed_outcome(outcomes) is outcomes[at]
    assert failure_of(outcomes).evidence == "HTTP 423"

    slate.behaviour.clear()
    assert verdicts(await Readiness(slate, 5, 10).run_all()) == READY


async def test_a_warning_is_ready() -> None:
    slate = Slate({Check.AUTH: odd})
    outcomes = await Readiness(slate, 5, 10).run_all()
    assert verdicts(outcomes) == ["reachability passed", "auth warning", "writability passed"]
    assert outcomes[1].cautions == (ODD,)
    assert outcomes[1].passed
    assert failed_outcome(outcomes) is None


@pytest.mark.parametrize("check", Check)
async def test_a_check_ends_at_its_deadline(check: Check) -> None:
    slate = Slate({check: endless})
    outcome = await Readiness(slate, 0.2, 10).run(check)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.TIMED_OUT
    assert outcome.failure.evidence == "no verdict within 0.2 s"
    assert outcome.failure.cause == "Slate did not answer completely in the time allowed."
    assert 0.2 <= outcome.seconds < 0.5
    slate.behaviour.clear()
    assert (await Readiness(slate, 0.2, 10).run(check)).verdict is Verdict.PASSED


async def test_all_checks_share_the_validation_deadline() -> None:
    slate = Slate({Check.REACHABILITY: after(0.2), Check.AUTH: endless})
    begun = time.monotonic()
    outcomes = await Readiness(slate, 10, 0.4).run_all()
    assert 0.4 <= time.monotonic() - begun < 0.7
    assert verdicts(outcomes) == ["reachability passed", "auth failed", "writability not run"]
    assert failure_of(outcomes).kind is FailureKind.TIMED_OUT
    assert outcomes[1].seconds < 0.3, "it got what the first one left"


async def test_when_no_time_is_left_nothing_is_asked() -> None:
    """Repeating a check, as the flow does, spends the same time."""
    slate = Slate({Check.REACHABILITY: endless})
    readiness = Readiness(slate, 0.2, 0.3)
    await readiness.run(Check.REACHABILITY)
    await readiness.run(Check.REACHABILITY)
    assert readiness.seconds_left < 0.05
    slate.asked.clear()
    outcome = await readiness.run(Check.AUTH)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.TIMED_OUT
    assert "-" not in outcome.failure.evidence, "no negative time"
    assert slate.asked == []
    slate.behaviour.clear()
    assert verdicts(await Readiness(slate, 0.2, 0.3).run_all()) == READY


async def test_the_time_runs_from_the_first_check_not_before() -> None:
    readiness = Readiness(Slate(), 5, 0.3)
    await asyncio.sleep(0.35)
    assert verdicts(await readiness.run_all()) == READY


@pytest.mark.parametrize(
    "error",
    [
        ValueError(CANARY),
        KeyError(CANARY),
        RuntimeError(f"http://u:{CANARY}@x"),
        ExceptionGroup(CANARY, [OSError()]),
    ],
)
@pytest.mark.parametrize("check", Check)
async def test_a_defect_of_an_adapter_is_told_apart_and_keeps_its_text_to_itself(
    check: Check, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    slate = Slate({check: raising(error)})
    with caplog.at_level(logging.DEBUG):
        outcomes = await Readiness(slate, 5, 10).run_all()
    failure = failure_of(outcomes)
    assert failure.kind is FailureKind.DEFECT
    assert not failure.row.transient
    assert failure.evidence == type(error).__name__
    told = [failure.told_to_pleo(reporting) for reporting in FailureReporting]
    assert CANARY not in f"{failure} {failure.cause} {failure.remedy} {told} {caplog.text}"
    assert type(error).__name__ in caplog.text
    slate.behaviour.clear()
    assert verdicts(await Readiness(slate, 5, 10).run_all()) == READY


async def test_who_cancels_the_run_cancels_the_check() -> None:
    slate = Slate({Check.REACHABILITY: endless})
    running = asyncio.create_task(Readiness(slate, 5, 10).run(Check.REACHABILITY))
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_system_is_named_unless_the_adapter_names_it() -> None:
    plain = Slate({Check.AUTH: raising(CheckFailed(FailureKind.LOCKED))})
    assert failure_of(await Readiness(plain, 5, 10).run_all()).cause.startswith("Slate is locked")
    named = Slate({Check.AUTH: raising(CheckFailed(FailureKind.LOCKED, system="Slate at work"))})
    assert failure_of(await Readiness(named, 5, 10).run_all()).cause.startswith("Slate at work is locked")


def test_an_outcome_says_after_how_many_attempts_it_came() -> None:
    failed = CheckOutcome(Check.AUTH, Verdict.FAILED, 0.1, Failure(FailureKind.LOCKED, {}, "HTTP 423"))
    again = failed.after_attempts(3).failure
    assert again is not None
    assert again.evidence == "HTTP 423; 3 attempts"
    bare = (
        CheckOutcome(Check.AUTH, Verdict.FAILED, 0.1, Failure(FailureKind.LOCKED)).after_attempts(2).failure
    )
    assert bare is not None
    assert bare.evidence == "2 attempts"
    passed = CheckOutcome(Check.AUTH, Verdict.PASSED)
    assert passed.after_attempts(2) is passed
