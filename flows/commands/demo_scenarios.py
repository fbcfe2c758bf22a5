"""One run of a demo: a system in some state, the real flow as a process, and what Pleo holds afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from rich.console import Console

from adapters.accounting.failures import DOCUMENTED_TEXT, FailureKind
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.demo_environment import connect_to
from flows.commands.local_services import run_to_end
from flows.commands.output import print_json
from flows.report import RunRecord
from flows.terminal import print_rows

ITEMS: Sequence[Mapping[str, str | None]] = (
    {"type": "card_purchase", "contraAccount": None},
    {"type": "out_of_pocket", "contraAccount": None},
    {"type": "refund", "contraAccount": None},
    {"type": "mileage", "contraAccount": None},
    {"type": "card_purchase", "contraAccount": None},
)
"""The items of each job: different kinds, the last one without an expense account."""

_WITHOUT_ACCOUNT = len(ITEMS)


@dataclass(frozen=True)
class Scenario:
    """A state of an accounting system, and how a run must end that meets it.

    Attributes:
        title: for the person who watches.
        system: brings the state about and gives the settings (`ACCOUNTING__URL`, …) of a connection to it.
        accounts: accounts of the system that the items' lines take in turn.
        failure: why the run must fail; None if all items must be booked but the last one.
        afterwards: shows what is in the books now, while the system still runs.

    """

    title: str
    system: Callable[[], AbstractContextManager[Mapping[str, str]]]
    accounts: Sequence[str]
    failure: FailureKind | None = None
    afterwards: Callable[[Console], None] | None = None


class PleoView(BaseModel):
    """What Pleo holds for a job after a run."""

    status: str
    failureReason: str | None  # noqa: N815 - Pleo's name
    failureReasonType: str | None  # noqa: N815 - Pleo's name


class ScenarioRecord(BaseModel):
    """One of the demo's runs: what was run, how it ended, and whether that is right."""

    scenario: str
    as_expected: bool
    pleo: PleoView
    run: RunRecord


class DemoRecord(BaseModel):
    """The JSON object of `pleo-export demo`."""

    ok: bool
    scenarios: list[ScenarioRecord]


def play(scenario: Scenario, console: Console) -> ScenarioRecord:
    """Take a fresh job of an embedded Pleo through the flow, and print what came of it."""
    console.print()
    console.rule(scenario.title, align="left")
    with EmbeddedPleo() as pleo, scenario.system() as settings:
        connect_to(pleo, **settings)
        job_id = pleo.create_job(
            items=ITEMS, accounts=list(scenario.accounts), without_account=[_WITHOUT_ACCOUNT]
        )
        console.print("$ pleo-export run")
        output = run_to_end(["pleo-export", "run", "--json"], seconds=120)
        held = pleo.job(job_id)
        if scenario.afterwards:
            scenario.afterwards(console)
    record = RunRecord.model_validate_json(output.splitlines()[-1])
    view = PleoView.model_validate({name: held.get(name) for name in PleoView.model_fields})
    shown = [{"field": name, "value": value or "(none)"} for name, value in view.model_dump().items()]
    print_rows("Pleo now holds", shown, console)
    if scenario.failure is None:
        print_rows("and of its items", [_item_row(item) for item in held["items"]], console)
    as_expected = _as_expected(scenario, record, view)
    return ScenarioRecord(scenario=scenario.title, as_expected=as_expected, pleo=view, run=record)


def _item_row(item: Mapping[str, Any]) -> dict[str, str]:
    return {
        "entry": str(item["accountingEntryId"])[:8],
        "status": str(item["status"]),
        "externalId": str(item["externalId"] or "")[:18],
        "failureReason": str(item["failureReason"] or ""),
    }


def sum_up(records: list[ScenarioRecord], console: Console, *, as_json: bool) -> bool:
    """Say whether every run ended as it should, for people and, if asked for, as JSON."""
    ok = all(record.as_expected for record in records)
    if as_json:
        print_json(DemoRecord(ok=ok, scenarios=records))
    wrong = ", ".join(record.scenario[:3] for record in records if not record.as_expected)
    console.print()
    console.print(
        f"All {len(records)} runs ended as they should." if ok else f"NOT as they should ended: {wrong}."
    )
    return ok


def _as_expected(scenario: Scenario, record: RunRecord, view: PleoView) -> bool:
    if scenario.failure is None:
        counts = {"successful": len(ITEMS) - 1, "failed": 1}
        exported = record.state_name == "ExportedWithErrors" and record.items == counts
        ended = PleoView(status="completed_with_errors", failureReason=None, failureReasonType=None)
        return exported and view == ended
    failed = PleoView(
        status="failed",
        failureReason=DOCUMENTED_TEXT,
        failureReasonType="accounting_system_unreachable",
    )
    seen = record.failure.kind if record.failure else None
    return record.state_name == "ValidationFailed" and seen == scenario.failure and view == failed
