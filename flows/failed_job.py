"""A job that had failed in Pleo before the run: checked afresh, and exported again where that is wanted.

A failed job is never revived (L50). Exporting again makes a new job for the entries that are still open,
and the same run takes that one through its lifecycle.
"""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State

from adapters.accounting.failures import Failure
from adapters.pleo.models import ExportJob
from flows import presentation, tasks
from flows.rules.failed_job import SinceThen
from flows.rules.lifecycle import Stage
from flows.rules.on_failed_job import OnFailedJob
from flows.rules.readiness import failed_outcome
from flows.session import Session


async def settle_failed_job(session: Session, on_failed_job: OnFailedJob) -> State[Any] | None:
    """Say how things stand, or turn the session to a job that exports the entries again.

    Returns:
        The run's ending; None if the session has turned to another job, which the run goes on with.

    """
    failed = session.job
    for check in tasks.CHECKS:
        outcome = await check(session)
        session.report.checks.append(outcome)
        if outcome.failure:
            break
    verdict = failed_outcome(session.report.checks)
    again = on_failed_job is OnFailedJob.EXPORT_AGAIN
    if not again or verdict:
        failure = verdict.failure if verdict else None
        _leave(session)
        return presentation.already_failed(failed, session.system.title, failure, wanted_again=again)

    found = await tasks.look_for_later_exports(session)
    if isinstance(found, Failure):
        session.report.failure = found
        return presentation.not_begun(found)
    if not found.under_way and not found.open:
        _leave(session)
        return presentation.exported_since(found.settled_by)
    job = found.under_way or await tasks.export_again(session, found.open)
    if isinstance(job, Failure):
        session.report.failure = job
        return presentation.not_begun(job)
    if job is None:
        _leave(session)
        return presentation.another_job_in_the_way(failed, await tasks.unfinished_job(session))
    _turn_to(session, failed, job, found)
    return None


def _leave(session: Session, note: str = "") -> None:
    session.lifecycle.move_to(Stage.ENDED_ELSEWHERE, f"{session.job.status} in Pleo{note}")


def _turn_to(session: Session, failed: ExportJob, job: ExportJob, found: SinceThen) -> None:
    how = "already there" if found.under_way else "made just now"
    note = f"{job.status} in Pleo, {how}, for entries of the failed job {failed.id}"
    _leave(session, f", exported again as job {job.id}")
    session.report.checks = []
    session.take(job, presentation.announced_lifecycle(job, note))
