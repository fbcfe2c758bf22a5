"""The flow `check-connection`: the checks alone; no job is touched and Pleo is not asked."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from adapters.environment import ConfigurationError
from flows import presentation
from flows.connections import company_label, find_connection
from flows.parameters import ConnectionName
from flows.report import RunReport
from flows.rules.readiness import failed_outcome
from flows.run_names import asked_parameters
from flows.session import open_session


def run_name() -> str:
    """Name a run after the company."""
    return f"{company_label(asked_parameters().get('connection'))} check"


@flow(name="check-connection", flow_run_name=run_name, retries=0, persist_result=False)
async def check_connection(connection: ConnectionName = None) -> State[Any]:
    """Check that the accounting system is ready to take entries; nothing is changed anywhere.

    Args:
        connection: Name of the saved connection. Empty: the settings of the environment.

    """
    report = RunReport()
    try:
        async with open_session(await find_connection(connection), report) as session:
            report.checks = await session.readiness.run_all()
            title = session.system.title
    except ConfigurationError as error:
        return presentation.configuration_wrong(error)
    await presentation.publish_checks(report)
    outcome = failed_outcome(report.checks)
    if outcome and outcome.failure:
        return Failed(name="ValidationFailed", message=presentation.explained(outcome.failure))
    return Completed(name="Ready", message=f"{title} is ready to take entries.")
