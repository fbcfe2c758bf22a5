"""Jobs, faults, kills and retries in any order: whatever happens, nothing is booked or reported twice."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.accounting.contract import AccountingSystem
from adapters.accounting.registry import open_system, registered
from adapters.pleo.sandbox.defaults import CONTRA_ACCOUNT, EXPENSE_ACCOUNTS
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.machine.exporting import Exporting
from tests.machine.troubled import TroubledSystem, entries_of_ledger
from tests.support.fava_server import FavaServer

_ACCOUNTS = (*EXPENSE_ACCOUNTS, CONTRA_ACCOUNT, "Assets:Bank", "Liabilities:Employees")
BOOKS = "\n".join(
    [
        'option "title" "Books of Example"',
        'option "operating_currency" "EUR"',
        'option "documents" "documents"',
        *(f"2020-01-01 open {account}" for account in _ACCOUNTS),
        "",
    ]
)


def tried(pleo: EmbeddedPleo, examples: int, machine: type[Exporting] = Exporting) -> None:
    """Let the machine run through so many examples."""

    class Here(machine):  # type: ignore[misc, valid-type]
        pass

    Here.pleo = pleo
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_few_hundred_steps() -> None:
    with EmbeddedPleo() as pleo:
        tried(pleo, 50)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_many_thousand_steps() -> None:
    with EmbeddedPleo() as pleo:
        tried(pleo, 1500)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_some_hundred_steps_with_a_real_fava(tmp_path: Path) -> None:
    ledger = tmp_path / "books.beancount"
    ledger.write_text(BOOKS)

    with EmbeddedPleo() as pleo, FavaServer(ledger) as fava:

        class WithFava(Exporting):
            def __init__(self) -> None:
                super().__init__()
                ledger.write_text(BOOKS)

            def _system(self) -> AccountingSystem:
                form = registered()["fava"].Settings
                settings = form.model_validate({"system": "fava", "url": fava.url})
                real = open_system(settings, accounts=self.connection.accounts, deadline=10)
                return TroubledSystem(real, self.troubles)

            def _entries(self) -> list[tuple[UUID, str]]:
                return entries_of_ledger(ledger)

        tried(pleo, 15, WithFava)
