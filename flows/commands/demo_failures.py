"""`pleo-export demo --failures`: every failure of an accounting system, once through the real flow.

The system is the faulty one, so each kind can be had at will; Pleo is the embedded one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from rich.console import Console

from adapters.accounting.contract import Check
from adapters.accounting.failures import CATALOGUE, FailureKind, FailureReporting, PleoReason
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.demo_environment import connect_to, demo_environment
from flows.commands.output import print_json
from flows.commands.run import collect_run
from flows.terminal import print_rows

_CHECK = {
    FailureKind.CREDENTIALS_REFUSED: Check.AUTH,
    FailureKind.ACCESS_REVOKED: Check.AUTH,
    **dict.fromkeys(
        (
            FailureKind.READ_ONLY,
            FailureKind.LOCKED,
            FailureKind.STORAGE_NOT_WRITABLE,
            FailureKind.STORAGE_MISSING,
            FailureKind.UNUSABLE_BOOKS,
            FailureKind.NO_OPEN_PERIOD,
            FailureKind.CREATION_NOT_ALLOWED,
            FailureKind.CONFIGURATION_MISSING,
        ),
        Check.WRITABILITY,
    ),
}
"""Check in which a kind shows; those that are not named show at once, in the first one."""

_BROUGHT_BY_THE_JOB: Mapping[FailureKind, dict[str, Any]] = {
    FailureKind.COMPANY_UNKNOWN: {"company_id": "0c0ffee0-0000-4000-8000-000000000000"},
    FailureKind.VENDOR_BOOKKEEPING_UNSUPPORTED: {"vendor_based_bookkeeping": True},
}
"""Kinds that come with the job, whatever the system does."""


class FailureShown(BaseModel):
    """One kind of failure as it went through the flow."""

    kind: str
    check: str
    documented: str
    specific: str
    text: str
    as_expected: bool


class FailuresRecord(BaseModel):
    """The JSON object of `pleo-export demo --failures`."""

    ok: bool
    failures: list[FailureShown]


def run_failures_demo(*, as_json: bool) -> bool:
    """Run the flow once a kind and way of reporting, print what Pleo holds, and tell whether it is right."""
    console = Console(stderr=as_json)
    with demo_environment(console), EmbeddedPleo() as pleo:
        shown = []
        for kind in CATALOGUE:
            if not kind.concerns_pleo:
                console.print(f"  {kind}")
                shown.append(_show(kind, pleo))
    rows = [
        {
            "kind": each.kind,
            "check": each.check,
            "Pleo holds: documented / specific": f"{each.documented} / {each.specific}",
            "specific text": each.text,
        }
        for each in shown
    ]
    print_rows("Every failure, as Pleo holds it afterwards", rows, console)
    ok = all(each.as_expected for each in shown)
    if as_json:
        print_json(FailuresRecord(ok=ok, failures=shown))
    wrong = ", ".join(each.kind for each in shown if not each.as_expected)
    console.print("Each job ended failed, with its reason." if ok else f"NOT as they should: {wrong}.")
    return ok


def _show(kind: FailureKind, pleo: EmbeddedPleo) -> FailureShown:
    """Take one job a way of reporting through the flow, and hold what Pleo has against the catalogue."""
    told: dict[FailureReporting, PleoReason] = {}
    check, as_expected = "", True
    for reporting in FailureReporting:
        connect_to(
            pleo,
            FAILURE_REPORTING=reporting.value,
            VALIDATION_DEADLINE_SECONDS="1",  # what may pass is not waited for here
            ACCOUNTING__SYSTEM="faulty",
            **_trouble(kind),
        )
        job_id = pleo.create_job(items=1, **_BROUGHT_BY_THE_JOB.get(kind, {}))
        report = asyncio.run(collect_run(job_id=UUID(job_id), fetch_only=True))
        held = pleo.job(job_id)
        told[reporting] = PleoReason(held["failureReasonType"] or "", held["failureReason"] or "")
        check = report.checks[-1].check if report.checks else ""
        as_expected &= (
            held["status"] == "failed"
            and report.failure is not None
            and report.failure.kind is kind
            and report.failure.told_to_pleo(reporting) == told[reporting]
        )
    documented, specific = told[FailureReporting.DOCUMENTED], told[FailureReporting.SPECIFIC]
    return FailureShown(
        kind=kind,
        check=check,
        documented=documented.type,
        specific=specific.type,
        text=specific.text,
        as_expected=as_expected,
    )


def _trouble(kind: FailureKind) -> dict[str, str]:
    """Settings with which the faulty system brings about a kind of failure."""
    if kind in _BROUGHT_BY_THE_JOB:
        return {}
    check = {"ACCOUNTING__CHECK": _CHECK.get(kind, Check.REACHABILITY).value}
    if kind is FailureKind.TIMED_OUT:
        return {**check, "ACCOUNTING__BEHAVIOUR": "hang", "CHECK_DEADLINE_SECONDS": "0.5"}
    if kind is FailureKind.DEFECT:
        return {**check, "ACCOUNTING__BEHAVIOUR": "crash"}
    return {**check, "ACCOUNTING__BEHAVIOUR": "fail", "ACCOUNTING__FAILURE": kind.value}
