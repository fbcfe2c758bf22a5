"""What a person sees of a run in Prefect: log lines, events, the final state, artifacts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed, Failed

from adapters.accounting.booking import Booked
from adapters.accounting.failures import Failure
from adapters.environment import ConfigurationError
from adapters.pleo.models import ExportJob, JobEvent
from adapters.texts import plain
from flows import pages
from flows.markdown import text
from flows.report import RunReport
from flows.reporting import Progress
from flows.rules.lifecycle import Lifecycle, Move
from flows.unforeseen import name_of

CHECK_REPORT_KEY = "check-report"
TIMELINE_KEY = "timeline"
ITEMS_KEY = "items"
ALL_ITEMS_KEY = "all-items"
PROGRESS_KEY = "progress"
COMPANIES_KEY = "companies"

_PROGRESS_SECONDS = 5
"""Prefect's client goes on for a minute with a server that is away, and the items do not wait for it."""
_ARTIFACT_SECONDS = 20


def announced_lifecycle(job: ExportJob, note: str) -> Lifecycle:
    """Begin the lifecycle of a job whose every move is logged and emitted as a Prefect event."""
    logger = get_run_logger()

    def announce(move: Move) -> None:
        logger.info("%s%s", move.stage, f": {move.note}" if move.note else "")
        emit_event(
            event=f"pleo-export.{move.stage}",
            resource={
                "prefect.resource.id": f"pleo-export-job.{job.id}",
                "prefect.resource.name": str(job.id),
            },
            payload={"note": move.note, "company_id": str(job.company_id)},
            occurred=move.at,
        )

    return Lifecycle(announce, note)


def nothing_to_export() -> State[Any]:
    """No job was eligible (L38)."""
    return Completed(name="NothingToExport", message="Pleo has no export job waiting for this company.")


def another_run() -> State[Any]:
    """Another run is at work for this company; nothing was sent (L37)."""
    return Completed(
        name="EndedElsewhere",
        message="Another run exports for this company right now. Nothing was sent; that run, or the next one "
        "on the schedule, takes the job.",
    )


def lock_not_had(evidence: str) -> State[Any]:
    """Prefect's server could not be asked for the company's lock; nothing was sent."""
    return Failed(
        name="ExportFailed",
        message=f"Prefect's server did not give this run the company's lock ({evidence}), so nothing was "
        "begun: no request was sent to Pleo or to the accounting system. To be mended by: whoever runs "
        "Prefect's server. The next run takes the job.",
    )


def lock_lost() -> State[Any]:
    """The company's lock could not be renewed, and the run stopped where it stood."""
    return Failed(
        name="ExportFailed",
        message="Prefect's server did not renew the company's lock, so the run stopped where it stood: two "
        "runs must not book side by side. The job stays in progress. The next run, or a retry of this one, "
        "finds in the books what was booked, books only the rest, and reports it.",
    )


def configuration_wrong(error: ConfigurationError) -> State[Any]:
    """A setting is missing or malformed."""
    return Failed(name="ExportFailed", message=f"{error} No request was sent.")


def items_fetched(report: RunReport) -> State[Any]:
    """The items were fetched, and the caller wanted no more."""
    odd = ", ".join(f"{plain(name)} {number}" for name, number in report.items.items() if name != "fetched")
    return Completed(
        name="ItemsFetched",
        message=f"The accounting system is ready; {report.items['fetched']} item(s) fetched"
        + (f" ({plain(odd, 300)})" if odd else "")
        + ". The job stays in progress in Pleo until it is exported or expires.",
    )


def exported(report: RunReport, event: JobEvent) -> State[Any]:
    """The job was brought to its end: all items are in the books, some, or none."""
    booked, failed = (
        report.items.get("successful", 0),
        sum(report.items.values()) - report.items.get("successful", 0),
    )
    warned = sum(bool(line.warnings) for line in report.lines)
    without = f" {warned} without all of their receipts." if warned else ""
    again = sum(line.first is not None and isinstance(line.result, Booked) for line in report.lines)
    if again:
        without += f" {again} of them were in the books before and now are a second time, as rebook asked."
    if event is JobEvent.COMPLETED:
        return Completed(name="Exported", message=f"All {booked} item(s) are in the books.{without}")
    reasons = 'The items table and "Review errors" in Pleo say why.'
    if event is JobEvent.COMPLETED_WITH_ERRORS:
        message = f"{booked} item(s) are in the books, {failed} failed.{without} {reasons}"
        return Completed(name="ExportedWithErrors", message=message)
    return Failed(name="ExportFailed", message=f"None of {failed} item(s) could be booked. {reasons}")


def not_all_reported(failure: Failure) -> State[Any]:
    """What was booked could not all be reported to Pleo; nothing is lost, and nothing is booked again."""
    return Failed(
        name="ExportFailed",
        message=f"{explained(failure)} Not every result could be reported to Pleo. The next run, or a retry "
        "of this one, finds in the books what was booked, books only the rest, and reports it.",
    )


def failed_in_pleo(report: RunReport, failure: Failure) -> State[Any]:
    """The job is failed in Pleo, for this reason."""
    told = failure.told_to_pleo(report.reporting)
    name = "ExportFailed" if failure.kind.concerns_pleo else "ValidationFailed"
    return Failed(name=name, message=f'{explained(failure)} Pleo was told: {told.type}, "{told.text}"')


def failed_after_booking(report: RunReport, failure: Failure) -> State[Any]:
    """The job is failed in Pleo although something may be booked: no run would bring it further."""
    told = failure.told_to_pleo(report.reporting)
    return Failed(
        name="ExportFailed",
        message=f'{explained(failure)} Pleo was told: {told.type}, "{told.text}" What was booked stays in '
        "the books; export the expenses that are left again in Pleo, and it is found there and reported.",
    )


def failure_not_reported(failure: Failure, obstacle: Failure) -> State[Any]:
    """The job should be failed in Pleo, but Pleo could not be told."""
    return Failed(
        name="FailureNotReported",
        message=f"{explained(failure)} Pleo could not be told: {explained(obstacle)} "
        "The next run, or a retry of this one, tells it.",
    )


def not_begun(failure: Failure) -> State[Any]:
    """Pleo could not be asked, or not told that the job begins."""
    return Failed(
        name="ExportFailed",
        message=f"{explained(failure)} No item was touched; the next run finds out how the job stands.",
    )


def already_failed(job: ExportJob, system: str, failure: Failure | None, *, wanted_again: bool) -> State[Any]:
    """The job had failed before this run read it (L50); `failure` is what the checks found just now."""
    if failure:
        verdict = f"Checked just now, {system} is not ready: {explained(failure)}"
        remedy = "Nothing was exported again: a new job would fail for that." if wanted_again else ""
    else:
        verdict = f"Checked just now, {system} is ready to take entries."
        remedy = (
            "A failed job is never revived: export the entries again in Pleo, or run export-job for this "
            "job with on_failed_job = export_again."
        )
    return Failed(name="AlreadyFailed", message=f"{_held_as_failed(job)} {verdict} {remedy}".strip())


def another_job_in_the_way(job: ExportJob, other: ExportJob | None) -> State[Any]:
    """A new job was wanted, but the company has an unfinished one with other entries (L23)."""
    which = f"job {other.id}, {plain(other.status)}" if other else "which is not shown to this connection"
    return Failed(
        name="AlreadyFailed",
        message=f"{_held_as_failed(job)} Nothing was exported again: Pleo allows one unfinished export job, "
        f"and has one with other entries ({which}). Let that job come to its end, then retry this run.",
    )


def exported_since(by: Sequence[ExportJob]) -> State[Any]:
    """A new job was wanted, but every entry of the failed one is settled."""
    jobs = ", ".join(f"{job.id} ({plain(job.status)})" for job in by)
    return Completed(
        name="EndedElsewhere",
        message="The job is failed in Pleo, and each of its entries is exported or has its own reason"
        + (f", by job {jobs}" if jobs else "")
        + ". Nothing was sent.",
    )


def _held_as_failed(job: ExportJob) -> str:
    kind = plain(job.failure_reason_type or "no reason type")
    return f'Pleo holds this job as failed ({kind}, "{plain(job.failure_reason or "no reason", 255)}").'


def ended_elsewhere(job: ExportJob) -> State[Any]:
    """The job ended, or is worked on, without us (L28, L39); nothing more was sent."""
    message = f"Pleo holds this job as {plain(job.status)}"
    if job.failure_reason_type:
        message += f" ({plain(job.failure_reason_type)})"
    if not job.ended:
        return Completed(
            name="EndedElsewhere", message=f"{message}, by someone else's doing; it was left alone."
        )
    ending = Cancelled if job.failure_reason_type else Completed
    return ending(name="EndedElsewhere", message=f"{message}; there is nothing left to do for it.")


def defect(error: BaseException) -> State[Any]:
    """A run that met something nobody foresaw, before there was a job to fail."""
    return Failed(
        name="ExportFailed",
        message=f"A defect of this integration ended the run ({name_of(error)}). No item was touched. "
        "Send the log of this run to the developers.",
    )


async def publish(report: RunReport) -> None:
    """Leave check report, timeline and items as artifacts; a fault in doing so changes nothing else."""
    await publish_checks(report)
    job = f"Job {report.job_id}." if report.job_id else "No job."
    await _publish(TIMELINE_KEY, pages.timeline_page(report), f"{report.state_name}. {job}")
    if report.lines:
        summary = f"{pages.items_summary(report.lines)} {job}"
        await _publish(ITEMS_KEY, pages.items_page(report.lines), summary)
        if len(report.lines) > pages.ITEMS_ON_A_PAGE:
            await _publish(ALL_ITEMS_KEY, pages.all_items(report.lines), summary)


@asynccontextmanager
async def progress(report: RunReport) -> AsyncIterator[Progress]:
    """Show how many items have a result: as a progress artifact and to whoever watches the report."""
    artifact: UUID | None = None
    try:
        async with asyncio.timeout(_PROGRESS_SECONDS):
            artifact = await acreate_progress_artifact(
                0.0, key=PROGRESS_KEY, description="Items with a result"
            )
    except Exception as error:  # noqa: BLE001 - an artifact is no reason to lose an export
        get_run_logger().warning("The progress could not be shown (%s).", type(error).__name__)

    async def show(done: int, total: int) -> None:
        report.watch(done, total)
        if artifact is None:
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_PROGRESS_SECONDS):
                await aupdate_progress_artifact(artifact, 100.0 * done / max(total, 1))

    yield show


async def publish_checks(report: RunReport, company: str = "") -> None:
    """Leave the check report as an artifact, under the company's own key where a run checks several."""
    key = f"{CHECK_REPORT_KEY}-{company}" if company else CHECK_REPORT_KEY
    await _publish(key, pages.check_page(report.checks), pages.check_summary(report.checks))


async def publish_companies(rows: Sequence[dict[str, str]], message: str) -> None:
    """Leave the table over all companies, one row each."""
    await _publish(COMPANIES_KEY, pages.companies_page(rows, message), message)


async def _publish(key: str, content: str | list[dict[str, str]], description: str) -> None:
    """Store an artifact whose content is Markdown already; a fault in doing so changes nothing else."""
    description = text(description)
    try:
        async with asyncio.timeout(_ARTIFACT_SECONDS):
            if isinstance(content, str):
                await acreate_markdown_artifact(key=key, markdown=content, description=description)
            else:
                await acreate_table_artifact(key=key, table=content, description=description)
    except Exception as error:  # noqa: BLE001 - an artifact is no reason to lose an export
        get_run_logger().warning("The artifact %s could not be stored (%s).", key, type(error).__name__)


def explained(failure: Failure) -> str:
    """Say what happened, what was seen, who can mend it and how."""
    evidence = f" ({failure.evidence})" if failure.evidence else ""
    return f"{failure.cause}{evidence} To be mended by: {failure.row.who}. {failure.remedy}"
