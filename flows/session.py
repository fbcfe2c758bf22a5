"""What one run holds open: the connection, Pleo, the accounting system, and the report that it fills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.accounting.contract import AccountingSystem
from adapters.accounting.registry import open_system
from adapters.connection import ExportConnection
from adapters.pleo.client import PleoClient
from adapters.pleo.items import FetchedItems
from adapters.pleo.models import ExportJob, ExportJobItem
from flows.lines import Line
from flows.report import RunReport
from flows.rules.deadline import Deadline
from flows.rules.lifecycle import Lifecycle
from flows.rules.readiness import ExportNeeds, Readiness


class Session:
    """One run at work on at most one job. Not a dataclass on purpose: Prefect walks through those.

    Attributes:
        connection: the settings.
        pleo: client for the connection's company.
        system: the accounting system.
        readiness: its checks and the time that they share.
        report: what the run has seen so far.
        items: what was fetched; None until then.
        lines: what became of each item.
        states: all items as Pleo held them at the end.

    """

    def __init__(
        self, connection: ExportConnection, pleo: PleoClient, system: AccountingSystem, report: RunReport
    ) -> None:
        self.connection = connection
        self.pleo = pleo
        self.system = system
        self.report = report
        self.readiness = self._new_readiness()
        self._job: ExportJob | None = None
        self._deadline: Deadline | None = None
        self.items: FetchedItems | None = None
        self.lines: list[Line] = []
        self.states: list[ExportJobItem] = []

    def take(self, job: ExportJob, lifecycle: Lifecycle) -> None:
        """Turn to a job that was read."""
        self._job = job
        self._deadline = Deadline.of(job)
        self.readiness = self._new_readiness()  # each job has its own time for the checks
        self.report.job_id = job.id
        self.report.lifecycle = lifecycle
        self.readiness.needs = ExportNeeds(
            job.company_id, self.connection.company_id, job.vendor_based_bookkeeping
        )

    def _new_readiness(self) -> Readiness:
        connection = self.connection
        return Readiness(
            self.system, connection.check_deadline_seconds, connection.validation_deadline_seconds
        )

    @property
    def fetched(self) -> FetchedItems:
        """The items, once they were fetched."""
        if self.items is None:
            raise RuntimeError("no items were fetched")
        return self.items

    @property
    def job(self) -> ExportJob:
        """The job that was taken, as it was read then."""
        if self._job is None:
            raise RuntimeError("no job was taken")
        return self._job

    @property
    def deadline(self) -> Deadline:
        """The time that is left for the job that was taken."""
        if self._deadline is None:
            raise RuntimeError("no job was taken")
        return self._deadline

    @property
    def lifecycle(self) -> Lifecycle:
        """Lifecycle of the job that was taken."""
        if self.report.lifecycle is None:
            raise RuntimeError("no job was taken")
        return self.report.lifecycle


@asynccontextmanager
async def open_session(connection: ExportConnection, report: RunReport) -> AsyncIterator[Session]:
    """Open both sides of a connection and close them again; nothing is sent by opening.

    Raises:
        HttpFault: an address that httpx cannot use.

    """
    system = open_system(
        connection.accounting, accounts=connection.accounts, deadline=connection.check_deadline_seconds
    )
    try:
        async with PleoClient(connection.pleo, connection.company_id) as pleo:
            report.reporting = connection.failure_reporting
            yield Session(connection, pleo, system, report)
    finally:
        await system.aclose()
