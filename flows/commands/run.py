"""`pleo-export run`: the flow in this process, and its ending as an exit code."""

from __future__ import annotations

import asyncio
import os
from uuid import UUID

from rich.console import Console

from adapters.accounting.failures import FailureReporting
from flows.commands.output import print_json
from flows.report import RunReport, collected_report, record_of
from flows.rules.lifecycle import Stage
from flows.terminal import print_run

_BY_STAGE = {
    Stage.FAILURE_REPORTED: 3,
    Stage.JOB_FAILED: 3,
    Stage.ENDED_ELSEWHERE: 6,
    Stage.NOT_OURS: 6,
}
_DONE = {"ItemsFetched", "NothingToExport", "Exported"}


def run_export(
    *,
    connection: str | None,
    job_id: UUID | None,
    failure_reporting: FailureReporting | None,
    fetch_only: bool,
    as_json: bool,
) -> int:
    """Run the flow `export-job`, print its timeline, and give the exit code of its ending."""
    report = asyncio.run(
        collect_run(
            connection=connection, job_id=job_id, failure_reporting=failure_reporting, fetch_only=fetch_only
        )
    )
    console = Console(stderr=as_json)
    print_run(report, console)
    if as_json:
        print_json(record_of(report))
    return exit_code(report)


async def collect_run(
    *,
    connection: str | None = None,
    job_id: UUID | None = None,
    failure_reporting: FailureReporting | None = None,
    fetch_only: bool = False,
) -> RunReport:
    """Run the flow `export-job` in this process and give its report."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from flows.export_job import export_job

    with collected_report() as report:
        await export_job(connection, job_id, failure_reporting, fetch_only, return_state=True)
    return report


def exit_code(report: RunReport) -> int:
    """Give the exit code of a run's ending; `flows.cli.ExitCode` says what each means."""
    if report.misconfigured:
        return 2
    if report.state_name in _DONE:
        return 0
    stage = report.lifecycle.stage if report.lifecycle else None
    return _BY_STAGE.get(stage, 4) if stage else 4
