"""`pleo-export plan`: what a run would book, without Prefect and without writing anything anywhere."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import Failure
from adapters.pleo.errors import PleoError
from adapters.pleo.items import fetch_items
from adapters.pleo.jobs import next_job
from flows.commands.exit_codes import ExitCode
from flows.commands.output import print_json
from flows.connections import find_connection
from flows.item_rows import item_rows
from flows.planning import plan
from flows.report import FailureRecord, RunReport, failure_record
from flows.rules.lifecycle import Lifecycle
from flows.rules.pleo_failures import failure_of
from flows.rules.rebooking import refuse_rebooking_of_any
from flows.session import Session, open_session
from flows.terminal import print_items


class PlanRecord(BaseModel):
    """The JSON object of `pleo-export plan`; `items` has the rows of the table."""

    job_id: UUID | None
    items: list[dict[str, str]]
    counts: dict[str, int]
    failure: FailureRecord | None


async def show_plan(*, connection: str | None, job_id: UUID | None, rebook: bool, as_json: bool) -> ExitCode:
    """Read the job and the accounting system, print what would become of each item, and give the exit code.

    Raises:
        ConfigurationError: a setting is missing or malformed; no request was sent.

    """
    refuse_rebooking_of_any(job_id, rebook=rebook)
    settings = await find_connection(connection)
    failure: Failure | None = None
    async with open_session(settings, RunReport()) as session:
        session.rebook = rebook
        try:
            rows = await _rows(session, job_id)
        except PleoError as error:
            rows, failure = [], failure_of(error)
        except CheckFailed as error:
            rows, failure = [], session.readiness.failure_of(error)
        found = session.report.job_id
    counts = dict(Counter(row["result"] for row in rows))
    console = Console(stderr=as_json)
    if rows:
        print_items(f"Plan of job {found}", rows, console)
    elif not failure:
        console.print(f"Job {found} has no item left to book." if found else "No job waits for this company.")
    if failure:
        console.print(Text(f"{failure.cause} {failure.remedy}"))
    if as_json:
        reporting = settings.failure_reporting
        told = failure_record(failure, reporting) if failure else None
        print_json(PlanRecord(job_id=found, items=rows, counts=counts, failure=told))
    return ExitCode.NOT_READY if failure else ExitCode.DONE


async def _rows(session: Session, job_id: UUID | None) -> list[dict[str, str]]:
    job = await session.pleo.get_job(job_id) if job_id else await next_job(session.pleo)
    if job is None:
        return []
    session.take(job, Lifecycle())
    return item_rows(await plan(session, await fetch_items(session.pleo, job.id)))
