"""`pleo-export check`: the checks alone, without Prefect."""

from __future__ import annotations

from pydantic import BaseModel
from rich.console import Console

from adapters.accounting.contract import CheckOutcome
from adapters.accounting.failures import FailureReporting
from adapters.accounting.registry import open_system
from adapters.environment import load_connection
from flows.commands.output import print_json
from flows.report import FailureRecord, failure_record
from flows.rules.readiness import Readiness, failed_outcome
from flows.terminal import print_checks


class CheckRecord(BaseModel):
    """One check in the JSON of `pleo-export check`; `seconds` is wall time."""

    check: str
    verdict: str
    seconds: float
    cautions: list[str]
    failure: FailureRecord | None


class ReadinessRecord(BaseModel):
    """The JSON object of `pleo-export check`."""

    ready: bool
    system: str
    checks: list[CheckRecord]
    failure: FailureRecord | None


async def run_checks(*, as_json: bool) -> bool:
    """Run the checks of the configured system, print the table, and tell whether it is ready.

    Raises:
        ConfigurationError: a setting is missing or malformed; no request was sent.

    """
    connection = load_connection()
    system = open_system(
        connection.accounting, accounts=connection.accounts, deadline=connection.check_deadline_seconds
    )
    try:
        readiness = Readiness(
            system, connection.check_deadline_seconds, connection.validation_deadline_seconds
        )
        outcomes = await readiness.run_all()
    finally:
        await system.aclose()
    failed = failed_outcome(outcomes)
    verdict = "is not ready" if failed else "is ready to take entries"
    print_checks(f"{system.title} {verdict}", outcomes, Console(stderr=as_json))
    if as_json:
        record = ReadinessRecord(
            ready=failed is None,
            system=connection.accounting.system,
            checks=[_record(outcome, connection.failure_reporting) for outcome in outcomes],
            failure=_failure(failed, connection.failure_reporting) if failed else None,
        )
        print_json(record)
    return failed is None


def _record(outcome: CheckOutcome, reporting: FailureReporting) -> CheckRecord:
    return CheckRecord(
        check=outcome.check,
        verdict=outcome.verdict,
        seconds=round(outcome.seconds, 4),
        cautions=[caution.cause for caution in outcome.cautions],
        failure=_failure(outcome, reporting),
    )


def _failure(outcome: CheckOutcome, reporting: FailureReporting) -> FailureRecord | None:
    return failure_record(outcome.failure, reporting) if outcome.failure else None
