"""What Prefect keeps of a run so that a person, or a retry, knows which job it is for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.connections import company_label
from flows.parameters import as_typed


def asked_parameters() -> dict[str, Any]:
    """Parameters that the present run was called with."""
    return {name: as_typed(value) for name, value in (flow_run.parameters or {}).items()}


def export_run_name() -> str:
    """Name a run after company and job; the job is not known yet where the oldest one is wanted."""
    asked = asked_parameters()
    return f"{company_label(asked.get('connection'))} {asked.get('job_id') or 'oldest job'}"


async def keep_job(connection: str | None, job_id: UUID) -> None:
    """Make the present run one for the job that it found, in its name and for a retry.

    An operator's retry repeats the run's parameters, and is to go on with the same job, not with the next
    one that waits. A fault in doing so changes nothing else.
    """
    if not flow_run.id:
        return
    parameters = {**asked_parameters(), "job_id": str(job_id)}
    try:
        async with get_client() as client:
            await client.update_flow_run(
                UUID(flow_run.id), name=f"{company_label(connection)} {job_id}", parameters=parameters
            )
    except Exception as error:  # noqa: BLE001 - a name is no reason to lose an export
        get_run_logger().warning("The run could not be bound to its job (%s).", type(error).__name__)
