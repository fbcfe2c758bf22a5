"""The record of one run: what its artifacts, its final state and the CLI's JSON are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from adapters.accounting.contract import Check, CheckOutcome, Verdict
from adapters.accounting.failures import Failure, FailureReporting
from flows.lines import Line
from flows.rules.lifecycle import Lifecycle


def _nobody(_done: int, _total: int) -> None:
    return


@dataclass
class RunReport:
    """What one run of `export_job` saw and did.

    Attributes:
        job_id: the job; None if there was none.
        lifecycle: the stages with their times; None while no job was read.
        checks: outcomes in the order in which they were run.
        failure: what ended the run, if something did.
        items: numbers of items by what became of them.
        lines: what became of each item, once booking began.
        watch: told how many items have a result, and of how many.
        misconfigured: a setting kept the run from beginning; nothing was sent.
        state_name: name of Prefect's final state.
        message: message of Prefect's final state.

    """

    job_id: UUID | None = None
    lifecycle: Lifecycle | None = None
    checks: list[CheckOutcome] = field(default_factory=list)
    failure: Failure | None = None
    reporting: FailureReporting = FailureReporting.DOCUMENTED
    items: dict[str, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    misconfigured: bool = False
    watch: Callable[[int, int], None] = _nobody
    state_name: str = ""
    message: str = ""


class StageRecord(BaseModel):
    """One stage in the JSON of `pleo-export run`."""

    stage: str
    at: datetime
    note: str


class FailureRecord(BaseModel):
    """The failure in the JSON of `pleo-export run`; `type` and `reason` are what Pleo is told."""

    kind: str
    type: str
    reason: str
    cause: str
    remedy: str
    who: str


class RunRecord(BaseModel):
    """The JSON object of `pleo-export run`."""

    job_id: UUID | None
    stage: str | None
    stages: list[StageRecord]
    state_name: str
    message: str
    failure: FailureRecord | None
    items: dict[str, int]


def record_of(report: RunReport) -> RunRecord:
    """Give the report's JSON form."""
    moves = report.lifecycle.moves if report.lifecycle else []
    return RunRecord(
        job_id=report.job_id,
        stage=moves[-1].stage if moves else None,
        stages=[StageRecord(stage=move.stage, at=move.at, note=move.note) for move in moves],
        state_name=report.state_name,
        message=report.message,
        failure=failure_record(report.failure, report.reporting) if report.failure else None,
        items=report.items,
    )


def failure_record(failure: Failure, reporting: FailureReporting) -> FailureRecord:
    """Give a failure's JSON form."""
    told = failure.told_to_pleo(reporting)
    return FailureRecord(
        kind=failure.kind,
        type=told.type,
        reason=told.text,
        cause=failure.cause,
        remedy=failure.remedy,
        who=failure.row.who,
    )


def check_rows(outcomes: Sequence[CheckOutcome]) -> list[dict[str, str]]:
    """Give the rows of the check report, one a check, those that were not run included."""
    by_check = {outcome.check: outcome for outcome in outcomes}
    return [_check_row(by_check.get(check) or CheckOutcome(check, Verdict.NOT_RUN)) for check in Check]


def _check_row(outcome: CheckOutcome) -> dict[str, str]:
    cause, who, remedy = "", "", ""
    if outcome.failure:
        evidence = f" ({outcome.failure.evidence})" if outcome.failure.evidence else ""
        cause, who, remedy = (
            outcome.failure.cause + evidence,
            outcome.failure.row.who,
            outcome.failure.remedy,
        )
    elif outcome.cautions:
        cause = " ".join(caution.cause for caution in outcome.cautions)
        remedy = " ".join(caution.remedy for caution in outcome.cautions)
    return {
        "check": outcome.check,
        "verdict": outcome.verdict,
        "time": "" if outcome.verdict is Verdict.NOT_RUN else f"{outcome.seconds:.2f} s",
        "cause": cause,
        "who mends it": who,
        "what to do": remedy,
    }


def timeline_rows(report: RunReport) -> list[dict[str, str]]:
    """Give the rows of the timeline: each stage, when it was reached, how long after the one before."""
    rows: list[dict[str, str]] = []
    before: datetime | None = None
    for move in report.lifecycle.moves if report.lifecycle else []:
        took = f"+{(move.at - before).total_seconds():.2f} s" if before else ""
        rows.append(
            {"stage": move.stage, "at (UTC)": f"{move.at:%H:%M:%S.%f}"[:-3], "after": took, "note": move.note}
        )
        before = move.at
    return rows


_report: ContextVar[RunReport | None] = ContextVar("pleo_export_report", default=None)


@contextmanager
def collected_report() -> Iterator[RunReport]:
    """Collect the report of the run that is made inside the block, for a caller in the same process."""
    report = RunReport()
    token = _report.set(report)
    try:
        yield report
    finally:
        _report.reset(token)


def new_report() -> RunReport:
    """Give the report that a run fills: the caller's, if one is waiting for it."""
    return _report.get() or RunReport()
