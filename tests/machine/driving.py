"""One run of an export without Prefect: the steps of `flows.export_job` in their order, on the real code.

What the flow adds, such as tasks, artifacts and states, has tests of its own; here a run takes some
hundredths of a second, so that a machine can try thousands of them in any order.
"""

from __future__ import annotations

from adapters.accounting.contract import Check, CheckFailed
from adapters.accounting.failures import Failure, FailureKind
from adapters.pleo.errors import JobEnded, PleoError
from adapters.pleo.events import send_event
from adapters.pleo.items import fetch_items
from adapters.pleo.jobs import ClaimResult, claim, next_job
from adapters.pleo.models import JobEvent
from flows import booking
from flows.planning import plan
from flows.reporting import report_missing
from flows.rules.lifecycle import Lifecycle, Stage
from flows.rules.outcome import terminal_event
from flows.session import Session


async def drive(session: Session) -> None:
    """Take the oldest eligible job as far as it goes; faults end a run as they end the flow."""
    try:
        job = await next_job(session.pleo)
        if job is None:
            return
        session.take(job, Lifecycle())
        claimed = await claim(session.pleo, job)
        if claimed.result in {ClaimResult.ENDED, ClaimResult.NOT_OURS}:
            return
        session.lifecycle.move_to(Stage.STARTED)
        if await _checked(session):
            await _export(session)
    except (PleoError, JobEnded):
        return


async def _checked(session: Session) -> bool:
    for check, stage in (
        (Check.REACHABILITY, Stage.REACHABLE),
        (Check.AUTH, Stage.AUTHENTICATED),
        (Check.WRITABILITY, Stage.WRITABLE),
    ):
        outcome = await session.readiness.run(check)
        session.report.checks.append(outcome)
        if outcome.failure:
            session.lifecycle.move_to(Stage.VALIDATION_FAILED)
            await _fail(session, outcome.failure)
            return False
        session.lifecycle.move_to(stage)
    return True


async def _export(session: Session) -> None:
    async def unwatched(_done: int, _total: int) -> None:
        return

    session.items = await fetch_items(session.pleo, session.job.id)
    session.lifecycle.move_to(Stage.ITEMS_FETCHED)
    try:
        session.lines = await plan(session, session.fetched)
        await booking.carry_out(session, session.lines, unwatched)
    except CheckFailed as error:
        await _fail(session, error.failure)
        return
    except RuntimeError:  # a defect: the flow leaves the job to the next run
        return
    session.lifecycle.move_to(Stage.BOOKED)
    session.states = await report_missing(session)
    ending = terminal_event(session.states)
    if ending is None:
        session.report.failure = Failure(FailureKind.PLEO_RESULTS_MISSING)
        return
    session.lifecycle.move_to(Stage.RESULTS_REPORTED)
    await send_event(
        session.pleo,
        session.job.id,
        ending.event,
        failure_type=ending.failure_type,
        failure_text=ending.failure_text,
    )


async def _fail(session: Session, failure: Failure) -> None:
    told = failure.told_to_pleo(session.connection.failure_reporting)
    await send_event(
        session.pleo, session.job.id, JobEvent.FAILED, failure_type=told.type, failure_text=told.text
    )
