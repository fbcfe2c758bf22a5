"""The flow `check-connection`: the checks alone; no job is touched, and Pleo only hears of its health."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from adapters.accounting.contract import Check, Verdict
from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError
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
from flows.health import tell_health
from flows.parameters import ConnectionName
from flows.report import RunReport
from flows.rules.readiness import failed_outcome
from flows.run_names import asked_parameters
from flows.session import open_session
from flows.unforeseen import log_unforeseen, name_of


@dataclass(frozen=True, slots=True)
class _Checked:
    state: State[Any]
    report: RunReport


def run_name() -> str:
    """Name a run after the connection that it was told, if any."""
    return f"{asked_parameters().get('connection') or 'all companies'} check"


@flow(name="check-connection", flow_run_name=run_name, retries=0, persist_result=False)
async def check_connection(connection: ConnectionName = None, companies_at_once: AtOnce = 8) -> State[Any]:
    """Check that the accounting system is ready to take entries; nothing is changed there.

    Pleo is asked nothing; it is told that credentials are refused, or taken again, where the connection says
    so (`report_health`).

    Args:
        connection: Name of the saved connection. Empty: all saved ones, and the settings of the environment
            unless their company is saved as well.
        companies_at_once: How many companies are checked side by side.

    """
    try:
        companies = [] if connection else await companies_to_serve()
        if companies and not only_the_environment(companies):
            return await _all(companies, companies_at_once)
        checked = await _checked(await find_connection(connection))
    except ConfigurationError as error:
        return presentation.configuration_wrong(error)
    except Exception as error:  # noqa: BLE001 - its text could hold a secret; Prefect would store it
        log_unforeseen(error)
        return presentation.defect(error)
    await presentation.publish_checks(checked.report)
    return checked.state


async def _checked(settings: ExportConnection) -> _Checked:
    report = RunReport()
    async with open_session(settings, report) as session:
        report.checks = await session.readiness.run_all()
        auth = next((check for check in report.checks if check.check is Check.AUTH), None)
        if auth and auth.verdict is not Verdict.NOT_RUN:
            await tell_health(session, auth.failure)
        title = session.system.title
    outcome = failed_outcome(report.checks)
    if outcome and outcome.failure:
        failed: State[Any] = Failed(name="ValidationFailed", message=presentation.explained(outcome.failure))
        return _Checked(failed, report)
    return _Checked(Completed(name="Ready", message=f"{title} is ready to take entries."), report)


async def _all(companies: Sequence[Company], at_once: int) -> State[Any]:
    """Check all companies, each with a report of its own, and tell which are not ready."""
    checking = asyncio.Semaphore(at_once)

    async def check(company: Company) -> State[Any]:
        if company.settings is None:
            return presentation.configuration_wrong(ConfigurationError(company.fault))
        try:
            async with checking:
                checked = await _checked(company.settings)
        except Exception as error:  # noqa: BLE001 - one company's defect is no reason to leave the others
            get_run_logger().error("Unforeseen %s with %s.", name_of(error), company.label)
            return presentation.defect(error)
        await presentation.publish_checks(checked.report, company.label)
        return checked.state

    checked = await side_by_side(companies, check)
    broken = [company for company, state in checked if not state.is_completed()]
    rows = [company.row(ready=state.name or "", message=state.message or "") for company, state in checked]
    ending: State[Any]
    if not broken:
        ending = Completed(name="Ready", message=f"{_ready(len(checked))} ready to take entries.")
    else:
        ending = Failed(
            name="ValidationFailed",
            message=f"{_ready(len(checked) - len(broken))} ready, {len(broken)} not: {named(broken)}. "
            "The table of companies says why.",
        )
    await presentation.publish_companies(rows, ending.message or "")
    return ending


def _ready(number: int) -> str:
    return "1 company is" if number == 1 else f"{number} companies are"
