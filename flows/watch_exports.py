"""The flow `watch-exports`: find the job to work on and hand it to `export-job`. Run it on a schedule."""

from __future__ import annotations

from typing import Any

from prefect import flow, tags
from prefect.client.schemas.objects import State

from adapters.environment import ConfigurationError
from adapters.pleo.client import PleoClient
from adapters.pleo.errors import PleoError
from adapters.pleo.jobs import next_job
from flows import presentation
from flows.connections import company_label, find_connection
from flows.export_job import export_job
from flows.parameters import ConnectionName
from flows.rules.pleo_failures import failure_of
from flows.run_names import asked_parameters


def run_name() -> str:
    """Name a run after the company."""
    return f"{company_label(asked_parameters().get('connection'))} watch"


@flow(name="watch-exports", flow_run_name=run_name, retries=0, persist_result=False)
async def watch_exports(connection: ConnectionName = None, fetch_only: bool = False) -> State[Any]:
    """Look for export jobs in Pleo, and take the oldest one through its lifecycle.

    Jobs that wait are found, and jobs that an interrupted run left in progress. Looking changes nothing.

    Args:
        connection: Name of the saved connection. Empty: the settings of the environment.
        fetch_only: End after the items were fetched; nothing is booked and the job stays in progress.

    """
    try:
        settings = await find_connection(connection)
        async with PleoClient(settings.pleo, settings.company_id) as pleo:
            job = await next_job(pleo)
    except ConfigurationError as error:
        return presentation.configuration_wrong(error)
    except PleoError as error:
        return presentation.not_begun(failure_of(error))
    if job is None:
        return presentation.nothing_to_export()
    with tags("pleo-export"):  # as the deployments' runs have it: automations.yaml finds runs by it
        ended = await export_job(connection, job.id, fetch_only=fetch_only, return_state=True)
    return State(type=ended.type, name=ended.name, message=f"Job {job.id}: {ended.message}")
