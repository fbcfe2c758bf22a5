"""`pleo-export demo`: the real flow against the embedded Pleo and a real Fava ledger, three times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from adapters.accounting.failures import FailureKind
from flows.commands.demo_environment import demo_environment
from flows.commands.demo_scenarios import Scenario, play, sum_up
from flows.commands.local_services import fava_ledger, free_port

_LEDGER = """\
option "title" "Demo Company"
option "operating_currency" "EUR"
option "documents" "documents"
2020-01-01 open Assets:Pleo:Wallet EUR
2020-01-01 open Liabilities:Employees EUR
2020-01-01 open Expenses:Travel
2020-01-01 open Expenses:Meals
2020-01-01 open Expenses:Software
"""
_EXPENSES = ("Expenses:Travel", "Expenses:Meals", "Expenses:Software")
_PATH = Path("demo.beancount")


@contextlib.contextmanager
def _ledger(*, read_only: bool = False) -> Iterator[Mapping[str, str]]:
    _PATH.write_text(_LEDGER, encoding="utf-8")
    Path("documents").mkdir(exist_ok=True)
    with fava_ledger(_PATH, read_only=read_only) as address:
        yield _settings(address)


@contextlib.contextmanager
def _nothing_listens() -> Iterator[Mapping[str, str]]:
    yield _settings(f"http://127.0.0.1:{free_port()}")


def _settings(address: str) -> Mapping[str, str]:
    return {
        "ACCOUNTING__SYSTEM": "fava",
        "ACCOUNTING__URL": address,
        "ACCOUNTS__WALLET": "Assets:Pleo:Wallet",
        "ACCOUNTS__OUT_OF_POCKET": "Liabilities:Employees",
    }


def _show_ledger(console: Console) -> None:
    console.print("The ledger file has these entries now:")
    text = _PATH.read_text(encoding="utf-8").removeprefix(_LEDGER).strip()
    console.print(text, markup=False, highlight=False, soft_wrap=True)


_SCENARIOS = (
    Scenario(
        "(a) a healthy ledger: four items are booked, one has no account",
        _ledger,
        _EXPENSES,
        afterwards=_show_ledger,
    ),
    Scenario(
        "(b) Fava in read-only mode: the job ends failed in Pleo",
        lambda: _ledger(read_only=True),
        _EXPENSES,
        FailureKind.READ_ONLY,
    ),
    Scenario(
        "(c) nothing listens at the ledger's address: the job ends failed in Pleo",
        _nothing_listens,
        _EXPENSES,
        FailureKind.CONNECTION_REFUSED,
    ),
)


def run_demo(*, as_json: bool) -> bool:
    """Run the scenarios, print the timeline and Pleo's view of each, and tell whether all ended rightly."""
    console = Console(stderr=as_json)
    with demo_environment(console):
        records = [play(scenario, console) for scenario in _SCENARIOS]
    return sum_up(records, console, as_json=as_json)
