"""The flow `export-job`: one export job through its lifecycle."""

from __future__ import annotations

import traceback
from collections import Counter
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger

from adapters.accounting.failures import Failure, FailureKind
from adapters.environment import ConfigurationError
from adapters.pleo.errors import PleoError
from adapters.pleo.jobs import Claim, ClaimResult, next_job
from adapters.pleo.models import ExportJob, JobEvent, JobStatus
from flows import presentation, tasks
from flows.connections import find_connection
from flows.failed_job import settle_failed_job
from flows.one_at_a_time import LockLost, LockNotHad, one_at_a_time
from flows.parameters import ConnectionName, JobId, Reporting
from flows.report import new_report
from flows.rules.lifecycle import Stage
from flows.rules.on_failed_job import OnFailedJob
from flows.rules.outcome import terminal_event
from flows.rules.pleo_failures import failure_of
from flows.run_names import export_run_name, keep_job
from flows.session import Session, open_session

_REACHED = (Stage.REACHABLE, Stage.AUTHENTICATED, Stage.WRITABLE)
_BOOKING = {Stage.ITEMS_FETCHED, Stage.BOOKED, Stage.RESULTS_REPORTED}


@flow(name="export-job", flow_run_name=export_run_name, retries=0, persist_result=False)
async def export_job(
    connection: ConnectionName = None,
    job_id: JobId = None,
    failure_reporting: Reporting = None,
    fetch_only: bool = False,
    on_failed_job: OnFailedJob = OnFailedJob.REPORT,
) -> State[Any]:
    """Take one Pleo export job through its lifecycle.

    The accounting system is checked first. If it is not ready, the job is marked failed in Pleo with a
    reason and nothing else happens. If it is ready, every item is booked once, each result is reported, and
    the job is completed.

    Args:
        connection: Name of the saved connection. Empty: the settings of the environment.
        job_id: Id of the export job in Pleo. Empty: the oldest job that waits or was interrupted.
        failure_reporting: What Pleo is told when a check fails: the documented text, or the specific
            cause and remedy. Empty: as the connection says.
        fetch_only: End after the items were fetched; nothing is booked and the job stays in progress.
        on_failed_job: If the job is failed in Pleo already: report says why and checks the accounting system
            afresh; export_again then makes a new job for the entries that are not exported, and runs it.

    """
    report = new_report()
    try:
        settings = await find_connection(connection)
        if failure_reporting:
            settings = settings.model_copy(update={"failure_reporting": failure_reporting})
        async with one_at_a_time(settings.company_id) as alone, open_session(settings, report) as session:
            state = (
                await _through_lifecycle(session, connection, job_id, on_failed_job, fetch_only=fetch_only)
                if alone
                else presentation.another_run()
            )
    except ConfigurationError as error:
        report.misconfigured = True
        state = presentation.configuration_wrong(error)
    except LockNotHad as error:
        state = presentation.lock_not_had(str(error))
    except LockLost:
        state = presentation.lock_lost()
    except Exception as error:  # noqa: BLE001 - its text could hold a secret; Prefect would store it
        _log_unforeseen(error)
        state = presentation.defect(error)
    report.state_name, report.message = state.name or "", state.message or ""
    await presentation.publish(report)
    return state


async def _through_lifecycle(
    session: Session,
    connection: str | None,
    job_id: UUID | None,
    on_failed_job: OnFailedJob,
    *,
    fetch_only: bool,
) -> State[Any]:
    """Run the stages; whatever nobody foresaw fails the job rather than leaving it in progress."""
    try:
        if not await _detect(session, connection, job_id):
            return presentation.nothing_to_export()
        if session.job.status == JobStatus.FAILED:
            ending = await settle_failed_job(session, on_failed_job)
            if ending is not None:
                return ending
        return await _stages(session, fetch_only=fetch_only)
    except PleoError as error:
        failure = session.report.failure = failure_of(error)
        lifecycle = session.report.lifecycle
        if lifecycle and lifecycle.stage in _BOOKING:
            return presentation.not_all_reported(failure)
        return presentation.not_begun(failure)
    except Exception as error:  # noqa: BLE001 - see the docstring
        _log_unforeseen(error)
        lifecycle = session.report.lifecycle
        if lifecycle is None or lifecycle.stage is Stage.DETECTED or lifecycle.ended:
            return presentation.defect(error)
        if lifecycle.stage in _BOOKING:  # something may be in the books: the next run finds it there
            return presentation.not_all_reported(Failure(FailureKind.DEFECT, evidence=type(error).__name__))
        return await _fail(session, Failure(FailureKind.DEFECT, evidence=type(error).__name__))


async def _detect(session: Session, connection: str | None, job_id: UUID | None) -> bool:
    """DETECTED: read the wanted job, or the oldest eligible one; False if there is none (L30-L38)."""
    job = await session.pleo.get_job(job_id) if job_id else await next_job(session.pleo)
    if job is None:
        return False
    session.take(job, presentation.announced_lifecycle(job, f"{job.status} in Pleo"))
    if job_id is None:
        await keep_job(connection, job.id)
    return True


async def _stages(session: Session, *, fetch_only: bool) -> State[Any]:
    """Go from DETECTED to an end, one stage a step, each move through the table."""
    claim = await tasks.start(session)
    if isinstance(claim, Failure):
        session.report.failure = claim
        return presentation.not_begun(claim)
    if claim.result in {ClaimResult.ENDED, ClaimResult.NOT_OURS}:
        return _left_alone(session, claim)
    resumed = claim.result is ClaimResult.RESUMED
    session.lifecycle.move_to(Stage.STARTED, "resumed, not started again" if resumed else "")

    for check, reached in zip(tasks.CHECKS, _REACHED, strict=True):
        outcome = await check(session)
        session.report.checks.append(outcome)
        if outcome.failure:
            return await _fail(session, outcome.failure)
        session.lifecycle.move_to(reached)

    counts = await tasks.fetch_items(session)
    if counts is None:
        return _ended_elsewhere(session, await session.pleo.get_job(session.job.id))
    if isinstance(counts, Failure):
        return await _fail(session, counts)
    session.report.items = counts
    session.lifecycle.move_to(Stage.ITEMS_FETCHED, f"{counts['fetched']} item(s)")
    if fetch_only:
        return presentation.items_fetched(session.report)
    return await _export(session)


async def _export(session: Session) -> State[Any]:
    """Go from ITEMS_FETCHED to an end: book, report, complete (L67-L102)."""
    try:
        async with presentation.progress(session.report) as progress:
            booked = await tasks.book_items(session, progress)
    finally:  # what was booked is shown, whatever ended it
        session.report.lines = session.lines
    if booked is not tasks.StepEnd.DONE:
        return await _broken_off(session, booked)
    session.lifecycle.move_to(Stage.BOOKED, f"{len(session.lines)} item(s)")

    reported = await tasks.report_results(session)
    if reported is not tasks.StepEnd.DONE:
        return await _broken_off(session, reported)
    session.report.items = dict(Counter(item.status for item in session.states))
    ending = terminal_event(session.states)
    if ending is None:
        session.report.failure = Failure(FailureKind.PLEO_RESULTS_MISSING)
        return presentation.not_all_reported(session.report.failure)
    session.lifecycle.move_to(Stage.RESULTS_REPORTED)

    completed = await tasks.complete(session, ending)
    if isinstance(completed, Failure):
        session.report.failure = completed
        return presentation.not_all_reported(completed)
    if not completed.took_effect:
        return _ended_elsewhere(session, completed.job or session.job)
    failed = ending.event is JobEvent.FAILED
    session.lifecycle.move_to(
        Stage.JOB_FAILED if failed else Stage.COMPLETED, f"Pleo was told: {ending.event}"
    )
    return presentation.exported(session.report, ending.event)


async def _broken_off(session: Session, why: tasks.StepEnd | Failure) -> State[Any]:
    """End a run that could not book or report all: ended elsewhere, failed, or left for the next run."""
    if isinstance(why, tasks.StepEnd):
        return _ended_elsewhere(session, await session.pleo.get_job(session.job.id))
    session.report.failure = why
    if why.kind.concerns_pleo and why.kind is not FailureKind.PLEO_TIME_SHORT:
        return presentation.not_all_reported(why)
    outcome = await tasks.report_failure(session, why)
    if isinstance(outcome, Failure):
        return presentation.failure_not_reported(why, outcome)
    if not outcome.took_effect:
        return _ended_elsewhere(session, outcome.job or session.job)
    session.lifecycle.move_to(Stage.JOB_FAILED, why.cause)
    return presentation.failed_in_pleo(session.report, why)


async def _fail(session: Session, failure: Failure) -> State[Any]:
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
    return _ended_elsewhere(session, job or session.job)


def _ended_elsewhere(session: Session, job: ExportJob) -> State[Any]:
    """ENDED_ELSEWHERE: somebody else ended the job; it is left alone (L28)."""
    session.lifecycle.move_to(Stage.ENDED_ELSEWHERE, f"{job.status} in Pleo")
    return presentation.ended_elsewhere(job)


def _left_alone(session: Session, claim: Claim) -> State[Any]:
    """End the run for a job that was over before it, or that is someone else's (L36, L39)."""
    ended = claim.result is ClaimResult.ENDED
    session.lifecycle.move_to(
        Stage.ENDED_ELSEWHERE if ended else Stage.NOT_OURS, f"{claim.job.status} in Pleo"
    )
    return presentation.ended_elsewhere(claim.job)


def _log_unforeseen(error: Exception) -> None:
    """Log where an exception came from, without its text, which could hold a secret."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    get_run_logger().error("Unforeseen %s at:\n%s", type(error).__name__, frames)
