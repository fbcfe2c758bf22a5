"""The flow `export-job`: one export job through its lifecycle."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger

from adapters.accounting.failures import Failure, FailureKind, FailureReporting
from adapters.environment import ConfigurationError
from adapters.pleo.errors import PleoError
from adapters.pleo.jobs import ClaimResult, next_job
from adapters.pleo.models import JobEvent, JobStatus
from flows import endings, presentation, tasks
from flows.connections import find_connection
from flows.failed_job import settle_failed_job
from flows.health import tell_health
from flows.one_at_a_time import LockLost, LockNotHad, one_at_a_time
from flows.parameters import ConnectionName, JobId, Reporting
from flows.report import RunReport, new_report
from flows.rules.lifecycle import Stage
from flows.rules.on_failed_job import OnFailedJob
from flows.rules.outcome import terminal_event
from flows.rules.pleo_failures import failure_of
from flows.rules.rebooking import refuse_rebooking_of_any
from flows.run_names import export_run_name, keep_job
from flows.session import Session, open_session
from flows.termination import ended_by_sigterm
from flows.unforeseen import log_unforeseen, name_of

_REACHED = (Stage.REACHABLE, Stage.AUTHENTICATED, Stage.WRITABLE)
_BOOKING = {Stage.ITEMS_FETCHED, Stage.BOOKED, Stage.RESULTS_REPORTED}


@flow(name="export-job", flow_run_name=export_run_name, retries=0, persist_result=False)
async def export_job(
    connection: ConnectionName = None,
    job_id: JobId = None,
    failure_reporting: Reporting = None,
    fetch_only: bool = False,
    on_failed_job: OnFailedJob = OnFailedJob.REPORT,
    rebook: bool = False,
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
        rebook: Book once more, on purpose, what is in the books already. The job must be named; it rebooks
            each entry once, however often it is run with this.

    """
    report = new_report()
    with ended_by_sigterm():
        state = await _ending(
            report, connection, job_id, failure_reporting, on_failed_job, fetch_only=fetch_only, rebook=rebook
        )
        report.state_name, report.message = state.name or "", state.message or ""
        await presentation.publish(report)
    return state


async def _ending(
    report: RunReport,
    connection: str | None,
    job_id: UUID | None,
    failure_reporting: FailureReporting | None,
    on_failed_job: OnFailedJob,
    *,
    fetch_only: bool,
    rebook: bool,
) -> State[Any]:
    """Do what the flow does, and give its state, whatever goes wrong."""
    try:
        refuse_rebooking_of_any(job_id, rebook=rebook)
        settings = await find_connection(connection)
        if failure_reporting:
            settings = settings.model_copy(update={"failure_reporting": failure_reporting})
        async with one_at_a_time(settings.company_id) as alone, open_session(settings, report) as session:
            session.rebook = rebook
            if not alone:
                return presentation.another_run()
            return await _through_lifecycle(session, connection, job_id, on_failed_job, fetch_only=fetch_only)
    except ConfigurationError as error:
        report.misconfigured = True
        return presentation.configuration_wrong(error)
    except LockNotHad as error:
        return presentation.lock_not_had(str(error))
    except LockLost:
        return presentation.lock_lost()
    except Exception as error:  # noqa: BLE001 - its text could hold a secret; Prefect would store it
        log_unforeseen(error)
        return presentation.defect(error)


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
        log_unforeseen(error)
        lifecycle = session.report.lifecycle
        if lifecycle is None or lifecycle.stage is Stage.DETECTED or lifecycle.ended:
            return presentation.defect(error)
        why = Failure(FailureKind.DEFECT, {"system": session.system.title}, name_of(error))
        if lifecycle.stage not in _BOOKING:
            return await endings.fail(session, why)
        if session.resumed:  # met for a second time, it would be met for a third
            return await endings.fail_after_booking(session, why)
        return presentation.not_all_reported(why)  # the next run finds what is in the books


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
        return endings.left_alone(session, claim)
    session.resumed = claim.result is ClaimResult.RESUMED
    session.lifecycle.move_to(Stage.STARTED, "resumed, not started again" if session.resumed else "")

    for check, reached in zip(tasks.CHECKS, _REACHED, strict=True):
        outcome = await check(session)
        session.report.checks.append(outcome)
        ended = await endings.fail(session, outcome.failure) if outcome.failure else None
        if reached is Stage.AUTHENTICATED:  # after the job's own end, which matters more
            await tell_health(session, outcome.failure)
        if ended:
            return ended
        session.lifecycle.move_to(reached)

    counts = await tasks.fetch_items(session)
    if counts is None:
        return endings.ended_elsewhere(session, await session.pleo.get_job(session.job.id))
    if isinstance(counts, Failure):
        return await endings.fail(session, counts)
    session.report.items = counts
    session.lifecycle.move_to(Stage.ITEMS_FETCHED, f"{counts['fetched']} item(s)")
    if fetch_only:
        return presentation.items_fetched(session.report)
    return await _export(session)


async def _export(session: Session) -> State[Any]:
    """Go from ITEMS_FETCHED to an end: book, report, complete (L67-L102)."""
    if session.rebook:
        get_run_logger().warning("Rebook: what is in the books already is booked once more by this job.")
    try:
        async with presentation.progress(session.report) as progress:
            booked = await tasks.book_items(session, progress)
    finally:  # what was booked is shown, whatever ended it
        session.report.lines = session.lines
    if booked is not tasks.StepEnd.DONE:
        return await endings.broken_off(session, booked)
    session.lifecycle.move_to(Stage.BOOKED, f"{len(session.lines)} item(s)")

    reported = await tasks.report_results(session)
    if reported is not tasks.StepEnd.DONE:
        return await endings.broken_off(session, reported)
    session.report.items = dict(Counter(item.status for item in session.states))
    ending = terminal_event(session.states)
    if ending is None:
        missing = session.report.failure = Failure(FailureKind.PLEO_RESULTS_MISSING)
        if session.refused_results:  # for good: an item without a state keeps the job from completing (L102)
            return await endings.fail_after_booking(session, missing)
        return presentation.not_all_reported(missing)
    session.lifecycle.move_to(Stage.RESULTS_REPORTED)

    completed = await tasks.complete(session, ending)
    if isinstance(completed, Failure):
        session.report.failure = completed
        return presentation.not_all_reported(completed)
    if not completed.took_effect:
        return endings.ended_elsewhere(session, completed.job or session.job)
    failed = ending.event is JobEvent.FAILED
    session.lifecycle.move_to(
        Stage.JOB_FAILED if failed else Stage.COMPLETED, f"Pleo was told: {ending.event}"
    )
    return presentation.exported(session.report, ending.event)
