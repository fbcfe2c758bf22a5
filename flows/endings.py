"""How a run ends before its items are all reported: what Pleo is told, and what Prefect shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect.client.schemas.objects import State

from adapters.accounting.failures import Failure, FailureKind
from adapters.pleo.jobs import Claim, ClaimResult
from adapters.pleo.models import ExportJob, JobStatus
from flows import presentation, tasks
from flows.report import RunReport
from flows.rules.lifecycle import Stage
from flows.session import Session


async def broken_off(session: Session, why: tasks.StepEnd | Failure) -> State[Any]:
    """End a run that could not book or report all: ended elsewhere, failed, or left for the next run."""
    if isinstance(why, tasks.StepEnd):
        return ended_elsewhere(session, await session.pleo.get_job(session.job.id))
    session.report.failure = why
    if why.kind is FailureKind.PLEO_TIME_SHORT:
        return await fail_after_booking(session, why)
    if why.kind.concerns_pleo:
        return presentation.not_all_reported(why)
    return await _fail_job(session, why, presentation.failed_in_pleo)


async def fail_after_booking(session: Session, failure: Failure) -> State[Any]:
    """End a job that no later run would bring further; Pleo holds what was reported (U5, U9)."""
    session.report.failure = failure
    return await _fail_job(session, failure, presentation.failed_after_booking)


async def _fail_job(
    session: Session, why: Failure, shown: Callable[[RunReport, Failure], State[Any]]
) -> State[Any]:
    """JOB_FAILED: tell Pleo once, and show it as `shown` does."""
    outcome = await tasks.report_failure(session, why)
    if isinstance(outcome, Failure):
        return presentation.failure_not_reported(why, outcome)
    if not outcome.took_effect:
        return ended_elsewhere(session, outcome.job or session.job)
    session.lifecycle.move_to(Stage.JOB_FAILED, why.cause)
    return shown(session.report, why)


async def fail(session: Session, failure: Failure) -> State[Any]:
    """VALIDATION_FAILED: tell Pleo once and stop (L47); no item has been touched."""
    session.report.failure = failure
    session.lifecycle.move_to(Stage.VALIDATION_FAILED, failure.cause)
    told = failure.told_to_pleo(session.connection.failure_reporting)
    outcome = await tasks.report_failure(session, failure)
    if isinstance(outcome, Failure):
        session.lifecycle.move_to(Stage.FAILURE_NOT_REPORTED, outcome.cause)
        return presentation.failure_not_reported(failure, outcome)
    job = outcome.job
    if outcome.took_effect or (
        job and job.status == JobStatus.FAILED and job.failure_reason_type == told.type
    ):
        session.lifecycle.move_to(Stage.FAILURE_REPORTED, f"Pleo was told: {told.type}")
        return presentation.failed_in_pleo(session.report, failure)
    return ended_elsewhere(session, job or session.job)


def ended_elsewhere(session: Session, job: ExportJob) -> State[Any]:
    """ENDED_ELSEWHERE: somebody else ended the job; it is left alone (L28)."""
    session.lifecycle.move_to(Stage.ENDED_ELSEWHERE, f"{job.status} in Pleo")
    return presentation.ended_elsewhere(job)


def left_alone(session: Session, claim: Claim) -> State[Any]:
    """End the run for a job that was over before it, or that is someone else's (L36, L39)."""
    ended = claim.result is ClaimResult.ENDED
    session.lifecycle.move_to(
        Stage.ENDED_ELSEWHERE if ended else Stage.NOT_OURS, f"{claim.job.status} in Pleo"
    )
    return presentation.ended_elsewhere(claim.job)
