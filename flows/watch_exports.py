"""The flow `watch-exports`: find the jobs to work on and hand each to `export-job`. Run it on a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from prefect import flow, tags
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from pydantic import Field

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError
from adapters.pleo.client import PleoClient
from adapters.pleo.errors import PleoError
from adapters.pleo.jobs import next_job
from adapters.pleo.models import ExportJob
from flows import presentation
from flows.companies import (
    AtOnce,
    Company,
    companies_to_serve,
    named,
    only_the_environment,
    side_by_side,
)
from flows.connections import find_connection
from flows.export_job import export_job
from flows.parameters import ConnectionName
from flows.report import collected_report
from flows.rules.pleo_failures import failure_of
from flows.run_names import asked_parameters
from flows.termination import ended_by_sigterm
from flows.unforeseen import log_unforeseen, name_of

_LOOKING_AT_ONCE = 16
"""Companies whose jobs are looked for side by side; looking is one request and waits for no export."""

WATCHED = "pleo-export-watched"
"""Tag of the runs inside a run of this flow, by which `automations/silent-runs.yaml` finds them."""

Minutes = Annotated[float, Field(gt=0, le=24 * 60)]


@dataclass(frozen=True, slots=True)
class _Ending:
    state: State[Any]
    job_id: UUID | None = None


def run_name() -> str:
    """Name a run after the connection that it was told, if any."""
    return f"{asked_parameters().get('connection') or 'all companies'} watch"


@flow(name="watch-exports", flow_run_name=run_name, retries=0, persist_result=False)
async def watch_exports(
    connection: ConnectionName = None,
    fetch_only: bool = False,
    companies_at_once: AtOnce = 8,
    minutes_per_company: Minutes = 60,
) -> State[Any]:
    """Look for export jobs in Pleo, and take each company's oldest one through its lifecycle.

    Jobs that wait are found, and jobs that an interrupted run left in progress. Looking changes nothing.
    Companies are served side by side; one that is slow or broken delays no other.

    Args:
        connection: Name of the saved connection. Empty: all saved ones, and the settings of the environment
            unless their company is saved as well.
        fetch_only: End after the items were fetched; nothing is booked and the job stays in progress.
        companies_at_once: How many companies export side by side.
        minutes_per_company: Time for one company's export. One that takes longer is broken off, and the
            next run goes on with it.

    """
    with ended_by_sigterm():
        return await _watch(connection, fetch_only, companies_at_once, minutes_per_company * 60)


async def _watch(connection: str | None, fetch_only: bool, at_once: int, seconds: float) -> State[Any]:
    """Do what the flow does, and give its state, whatever goes wrong."""
    try:
        companies = [] if connection else await companies_to_serve()
        if companies and not only_the_environment(companies):
            return await _all(companies, fetch_only, at_once, seconds)
        job = await _waiting_job(await find_connection(connection))
    except ConfigurationError as error:
        return presentation.configuration_wrong(error)
    except PleoError as error:
        return presentation.not_begun(failure_of(error))
    except Exception as error:  # noqa: BLE001 - its text could hold a secret; Prefect would store it
        log_unforeseen(error)
        return presentation.defect(error)
    if job is None:
        return presentation.nothing_to_export()
    with tags(WATCHED):
        ended = await export_job(connection, job.id, fetch_only=fetch_only, return_state=True)
    return State(type=ended.type, name=ended.name, message=f"Job {job.id}: {ended.message}")


async def _waiting_job(settings: ExportConnection) -> ExportJob | None:
    async with PleoClient(settings.pleo, settings.company_id) as pleo:
        return await next_job(pleo)


async def _all(companies: Sequence[Company], fetch_only: bool, at_once: int, seconds: float) -> State[Any]:
    """Serve all companies, at most so many exports at once, and tell how each ended."""
    looking, exporting = asyncio.Semaphore(_LOOKING_AT_ONCE), asyncio.Semaphore(at_once)

    async def serve(company: Company) -> _Ending:
        job: ExportJob | None = None
        try:
            if company.settings is None:
                raise ConfigurationError(company.fault)
            async with looking:
                job = await _waiting_job(company.settings)
            if job is None:
                return _Ending(presentation.nothing_to_export())
            async with exporting:
                return _Ending(await _export(company, job, fetch_only, seconds), job.id)
        except ConfigurationError as error:
            return _Ending(presentation.configuration_wrong(error))
        except PleoError as error:
            return _Ending(presentation.not_begun(failure_of(error)))
        except Exception as error:  # noqa: BLE001 - one company's defect is no reason to leave the others
            get_run_logger().error("Unforeseen %s with %s.", name_of(error), company.label)
            return _Ending(_run_broken(error), job.id if job else None)

    served = await side_by_side(companies, serve)
    state = _summary(served)
    await presentation.publish_companies(_rows(served), state.message or "")
    return state


async def _export(company: Company, job: ExportJob, fetch_only: bool, seconds: float) -> State[Any]:
    """Run one company's export as a run of its own, tagged with the company, within its time."""
    try:
        async with asyncio.timeout(seconds):
            with collected_report(), tags(WATCHED, f"company:{company.label}"):
                return await export_job(company.connection, job.id, fetch_only=fetch_only, return_state=True)
    except TimeoutError:
        return Failed(
            name="TookTooLong",
            message=f"The export was broken off after {seconds / 60:g} minutes. The next run goes on with "
            "it: it finds in the books what was booked and books only the rest.",
        )


def _run_broken(error: Exception) -> State[Any]:
    """Tell of a run that Prefect itself could not make or finish."""
    return Failed(
        name="ExportFailed",
        message=f"The run of this company broke off ({type(error).__name__}); the next run finds out how the "
        "job stands. If it stays, send the log of this run to the developers.",
    )


def _summary(served: Sequence[tuple[Company, _Ending]]) -> State[Any]:
    """Give the state of a run over several companies: failed if any failed, else the most that happened."""
    failed = [company for company, ending in served if not ending.state.is_completed()]
    names = {ending.state.name for _company, ending in served}
    busy = sum(ending.job_id is not None for _company, ending in served)
    message = f"{len(served)} companies looked at, {busy} with a job."
    if failed:
        return Failed(
            name="SomeFailed",
            message=f"{message} Not served well: {named(failed)}. The table of companies says why.",
        )
    for name in ("ExportedWithErrors", "Exported", "ItemsFetched", "EndedElsewhere"):
        if name in names:
            return Completed(name=name, message=f"{message} The table of companies has the details.")
    return Completed(name="NothingToExport", message=message)


def _rows(served: Sequence[tuple[Company, _Ending]]) -> list[dict[str, str]]:
    return [
        company.row(
            job=str(ending.job_id or ""),
            ending=ending.state.name or "",
            message=ending.state.message or "",
        )
        for company, ending in served
    ]
