"""`pleo-export run`: the flow in this process, and its ending as an exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from rich.console import Console

from adapters.accounting.failures import FailureReporting
from flows.commands.errors import ServiceError
from flows.commands.exit_codes import ExitCode
from flows.commands.output import print_json
from flows.report import RunReport, collected_report, record_of
from flows.rules.lifecycle import Stage
from flows.rules.on_failed_job import OnFailedJob
from flows.terminal import print_run, watched

logger = logging.getLogger(__name__)

_NO_PREFECT = (
    "Prefect's server could not begin the run ({}); nothing was sent to Pleo or to the accounting system. "
    "Start the server that PREFECT_API_URL names, or unset it."
)
_BY_STAGE = {
    Stage.FAILURE_REPORTED: ExitCode.NOT_READY,
    Stage.JOB_FAILED: ExitCode.NOT_READY,
    Stage.ENDED_ELSEWHERE: ExitCode.ENDED_ELSEWHERE,
    Stage.NOT_OURS: ExitCode.ENDED_ELSEWHERE,
}
_BY_NAME = {
    "ItemsFetched": ExitCode.DONE,
    "NothingToExport": ExitCode.DONE,
    "Exported": ExitCode.DONE,
    "ExportedWithErrors": ExitCode.EXPORTED_WITH_ERRORS,
    "EndedElsewhere": ExitCode.ENDED_ELSEWHERE,
}


def run_export(
    *,
    connection: str | None,
    job_id: UUID | None,
    failure_reporting: FailureReporting | None,
    fetch_only: bool,
    on_failed_job: OnFailedJob,
    rebook: bool,
    as_json: bool,
) -> ExitCode:
    """Run the flow `export-job`, print its timeline, and give the exit code of its ending."""
    with _sigterm_ends_in_order():
        report = asyncio.run(
            collect_run(
                connection=connection,
                job_id=job_id,
                failure_reporting=failure_reporting,
                fetch_only=fetch_only,
                on_failed_job=on_failed_job,
                rebook=rebook,
            )
        )
    console = Console(stderr=as_json)
    print_run(report, console)
    if as_json:
        print_json(record_of(report))
    return exit_code(report)


class EndedBySigterm(SystemExit):
    """SIGTERM came, and Prefect has marked the run if there was one."""


@contextmanager
def _sigterm_ends_in_order() -> Iterator[None]:
    """Have SIGTERM raise where Prefect does not catch it: before a run, and when it sends it on after one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise EndedBySigterm

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def collect_run(
    *,
    connection: str | None = None,
    job_id: UUID | None = None,
    failure_reporting: FailureReporting | None = None,
    fetch_only: bool = False,
    on_failed_job: OnFailedJob = OnFailedJob.REPORT,
    rebook: bool = False,
) -> RunReport:
    """Run the flow `export-job` in this process and give its report.

    Raises:
        ServiceError: Prefect could not begin the run; nothing was sent.

    """
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    # Where this process brings its own server, leases must outlive it: a killed run's lock frees itself.
    os.environ.setdefault(
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE", "prefect.server.concurrency.lease_storage.filesystem"
    )
    from flows.export_job import export_job

    with collected_report() as report, watched(report):
        try:
            await export_job(
                connection,
                job_id,
                failure_reporting,
                fetch_only,
                on_failed_job,
                rebook,
                return_state=True,
            )
        except Exception as error:  # noqa: BLE001 - the flow's own endings are states: this is Prefect's
            if not report.state_name:
                raise ServiceError(_NO_PREFECT.format(type(error).__name__)) from None
            logger.warning("Prefect's server could not be told how the run ended (%s).", type(error).__name__)
    return report


def exit_code(report: RunReport) -> ExitCode:
    """Give the exit code of a run's ending."""
    if report.misconfigured:
        return ExitCode.USAGE
    if report.state_name in _BY_NAME:
        return _BY_NAME[report.state_name]
    stage = report.lifecycle.stage if report.lifecycle else None
    return _BY_STAGE.get(stage, ExitCode.PLEO_NOT_TOLD) if stage else ExitCode.PLEO_NOT_TOLD
