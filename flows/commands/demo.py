"""`pleo-export demo`: the real flow against the embedded Pleo and a real Fava ledger, three times."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console

from adapters.accounting.failures import DOCUMENTED_TEXT
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.demo_environment import connect_to, demo_environment
from flows.commands.local_services import fava_ledger, free_port, run_to_end
from flows.commands.output import print_json
from flows.report import RunRecord
from flows.terminal import print_rows

_ITEMS = 25

_LEDGER = """\
option "title" "Demo Company"
option "operating_currency" "EUR"
2020-01-01 open Assets:Pleo:Wallet EUR
2020-01-01 open Liabilities:Employees EUR
2020-01-01 open Expenses:Travel
2020-01-01 open Expenses:Meals
2020-01-01 open Expenses:Software
"""


@dataclass(frozen=True)
class _Scenario:
    title: str
    ledger: Callable[[Path], AbstractContextManager[str]]
    state_name: str
    items: dict[str, int]
    pleo_holds: dict[str, str | None]


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


@contextlib.contextmanager
def _nothing_listens(_folder: Path) -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


_FAILED_IN_PLEO: dict[str, str | None] = {
    "status": "failed",
    "failureReason": DOCUMENTED_TEXT,
    "failureReasonType": "accounting_system_unreachable",
}

_SCENARIOS = (
    _Scenario(
        "(a) a healthy ledger: all checks pass, all items are fetched",
        lambda folder: fava_ledger(_write_ledger(folder)),
        "ItemsFetched",
        {"fetched": _ITEMS},
        {"status": "in_progress", "failureReason": None, "failureReasonType": None},
    ),
    _Scenario(
        "(b) Fava in read-only mode: the job ends failed in Pleo",
        lambda folder: fava_ledger(_write_ledger(folder), read_only=True),
        "ValidationFailed",
        {},
        _FAILED_IN_PLEO,
    ),
    _Scenario(
        "(c) nothing listens at the ledger's address: the job ends failed in Pleo",
        _nothing_listens,
        "ValidationFailed",
        {},
        _FAILED_IN_PLEO,
    ),
)


def run_demo(*, as_json: bool) -> bool:
    """Run the scenarios, print the timeline and Pleo's view of each, and tell whether all ended rightly."""
    console = Console(stderr=as_json)
    with demo_environment(console) as folder:
        records = [_play(scenario, folder, console) for scenario in _SCENARIOS]
    ok = all(record.as_expected for record in records)
    if as_json:
        print_json(DemoRecord(ok=ok, scenarios=records))
    console.print("All three runs ended as they should." if ok else "NOT every run ended as it should.")
    return ok


def _play(scenario: _Scenario, folder: Path, console: Console) -> ScenarioRecord:
    console.print()
    console.rule(scenario.title, align="left")
    with EmbeddedPleo() as pleo, scenario.ledger(folder) as ledger:
        connect_to(pleo, ACCOUNTING__SYSTEM="fava", ACCOUNTING__URL=ledger)
        job_id = pleo.create_job(items=_ITEMS)
        console.print("$ pleo-export run --fetch-only")
        output = run_to_end(["pleo-export", "run", "--fetch-only", "--json"], seconds=120)
        held = pleo.job(job_id)
    record = RunRecord.model_validate_json(output.splitlines()[-1])
    view = PleoView.model_validate({name: held.get(name) for name in PleoView.model_fields})
    shown = [{"field": name, "value": value or "(none)"} for name, value in view.model_dump().items()]
    print_rows("Pleo now holds", shown, console)
    as_expected = (
        record.state_name == scenario.state_name
        and record.items == scenario.items
        and view.model_dump() == scenario.pleo_holds
    )
    return ScenarioRecord(scenario=scenario.title, as_expected=as_expected, pleo=view, run=record)


def _write_ledger(folder: Path) -> Path:
    path = folder / "demo.beancount"
    path.write_text(_LEDGER, encoding="utf-8")
    return path
