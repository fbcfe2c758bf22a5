"""The steps of an export as Prefect tasks: names, retries and time-outs, and no rule of business.

A task returns what happened; it does not fail for what Pleo or the accounting system does. Nothing is
cached or persisted, so that a retried flow run asks afresh. Only checks are repeated by Prefect, and
only after failures that the catalogue calls transient, within the validation deadline; single calls to
Pleo are repeated inside its client.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypedDict
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import task_run
from prefect.tasks import Task

from adapters.accounting.contract import Check, CheckFailed, CheckOutcome
from adapters.accounting.failures import Failure, FailureKind
from adapters.pleo import items, jobs, new_jobs
from adapters.pleo.errors import JobEnded, PleoError, UnfinishedJobExists
from adapters.pleo.events import EventOutcome, send_event
from adapters.pleo.jobs import Claim, ClaimResult
from adapters.pleo.models import ExportJob, JobEvent, JobStatus
from flows import booking
from flows.rules.deadline import TimeShort
from flows.rules.failed_job import JobWithItems, SinceThen, since_then
from flows.rules.outcome import TerminalEvent
from flows.rules.pleo_failures import failure_of
from flows.session import Session


class _Afresh(TypedDict):
    cache_policy: Any
    persist_result: bool


_AFRESH: _Afresh = {"cache_policy": NO_CACHE, "persist_result": False}

CHECK_RETRY_SECONDS = [1.0, 2.0, 4.0]
"""Waits before a check is repeated after a transient failure."""


class _NotReadyYet(Exception):
    """Ends one attempt of a check that is worth repeating; the text comes from the catalogue."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.cause} ({failure.evidence}) This may pass: the check is repeated.")


def _only_if_not_ready_yet(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.data, _NotReadyYet)


class _Repeated(_Afresh):
    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Any


_REPEATED: _Repeated = {
    **_AFRESH,
    "retries": len(CHECK_RETRY_SECONDS),
    "retry_delay_seconds": CHECK_RETRY_SECONDS,
    "retry_condition_fn": _only_if_not_ready_yet,
}


@task(**_AFRESH)
async def start(session: Session) -> Claim | Failure:
    """Send `started`, unless the job is in progress already (L35, L40)."""
    asked_at = session.deadline.clock()
    try:
        claim = await jobs.claim(session.pleo, session.job)
    except PleoError as error:
        return failure_of(error)
    if claim.result is ClaimResult.STARTED:
        session.deadline.pushed_out(asked_at)
    return claim


@task(**_REPEATED)
async def check_reachability(session: Session) -> CheckOutcome:
    """Check that the accounting system answers as itself (L42)."""
    return await _check(session, Check.REACHABILITY)


@task(**_REPEATED)
async def check_auth(session: Session) -> CheckOutcome:
    """Check that the accounting system accepts the credentials (L42)."""
    return await _check(session, Check.AUTH)


@task(**_REPEATED)
async def check_writability(session: Session) -> CheckOutcome:
    """Check that new entries can be created, for this company and in the way it needs (L42-L46)."""
    return await _check(session, Check.WRITABILITY)


CHECKS = (check_reachability, check_auth, check_writability)
"""The checks in their order (L48)."""


@task(**_AFRESH)
async def report_failure(session: Session, failure: Failure) -> EventOutcome | Failure:
    """Send the one event `failed` with both reason fields (L47)."""
    told = failure.told_to_pleo(session.connection.failure_reporting)
    try:
        return await send_event(
            session.pleo, session.job.id, JobEvent.FAILED, failure_type=told.type, failure_text=told.text
        )
    except PleoError as error:
        return failure_of(error)


@task(**_AFRESH)
async def fetch_items(session: Session) -> dict[str, int] | Failure | None:
    """Fetch both layers of all items into the session and return their numbers; None if the job has ended."""
    try:
        session.items = await items.fetch_items(session.pleo, session.job.id)
    except JobEnded:
        return None
    except PleoError as error:
        return failure_of(error)
    return session.items.counts


class StepEnd(StrEnum):
    """How a step after the fetch ended, if not by a failure."""

    DONE = "done"
    JOB_ENDED = "job ended"


@task(**_AFRESH)
async def book_items(session: Session, progress: booking.Progress) -> StepEnd | Failure:
    """Book every item and report its result as it comes; the session has what happened to each (L67-L95)."""
    try:
        session.lines = await booking.plan(session, session.fetched)
        await booking.carry_out(session, session.lines, progress)
    except CheckFailed as error:
        return session.readiness.failure_of(error)
    except TimeShort:
        return Failure(FailureKind.PLEO_TIME_SHORT)
    except JobEnded:
        return StepEnd.JOB_ENDED
    except PleoError as error:
        return failure_of(error)
    return StepEnd.DONE


@task(**_AFRESH)
async def report_results(session: Session) -> StepEnd | Failure:
    """Make sure that Pleo holds a final state of every item, and keep these states (L101, L102)."""
    try:
        session.states = await booking.report_missing(session)
    except JobEnded:
        return StepEnd.JOB_ENDED
    except PleoError as error:
        return failure_of(error)
    return StepEnd.DONE


@task(**_AFRESH)
async def complete(session: Session, ending: TerminalEvent) -> EventOutcome | Failure:
    """Send the one terminal event that the items' states amount to (L96-L99)."""
    try:
        return await send_event(
            session.pleo,
            session.job.id,
            ending.event,
            failure_type=ending.failure_type,
            failure_text=ending.failure_text,
        )
    except PleoError as error:
        return failure_of(error)


@task(**_AFRESH)
async def look_for_later_exports(session: Session) -> SinceThen | Failure:
    """Find out what other jobs have done, or are about to do, for the entries of the failed job."""
    try:
        failed = JobWithItems(session.job, await session.pleo.list_job_items(session.job.id))
        others: list[JobWithItems] = []
        found = since_then(failed, others)
        async for job, states in new_jobs.other_jobs_since(session.pleo, session.job):
            others.append(JobWithItems(job, states))
            found = since_then(failed, others)
            if not found.open:
                break
    except PleoError as error:
        return failure_of(error)
    return found


@task(**_AFRESH)
async def export_again(session: Session, entries: Sequence[UUID]) -> ExportJob | Failure | None:
    """Make a new job for entries of the failed one; None if an unfinished job is in the way (L23)."""
    try:
        return await new_jobs.create_job(
            session.pleo, entries, vendor_based_bookkeeping=session.job.vendor_based_bookkeeping
        )
    except UnfinishedJobExists:
        return None
    except PleoError as error:
        return failure_of(error)


@task(**_AFRESH)
async def unfinished_job(session: Session) -> ExportJob | None:
    """Read the company's unfinished job, if Pleo still has one and can be asked."""
    try:
        found = await session.pleo.list_jobs([JobStatus.PENDING, JobStatus.IN_PROGRESS])
    except PleoError:
        return None
    return jobs.oldest_eligible(found)


async def _check(session: Session, check: Check) -> CheckOutcome:
    checked = await session.readiness.run(check)
    attempt = task_run.run_count or 1
    if checked.failure and attempt > 1:
        checked = checked.after_attempts(attempt)
    if checked.failure and checked.failure.row.transient and attempt <= len(CHECK_RETRY_SECONDS):
        wait = CHECK_RETRY_SECONDS[attempt - 1]
        if session.readiness.seconds_left > wait + checked.seconds:
            raise _NotReadyYet(checked.failure)
    return checked
