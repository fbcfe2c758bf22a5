"""What the books themselves say: accounts that are missing, and errors that keep nothing out."""

from __future__ import annotations

import datetime as dt

import pytest

from adapters.accounting.cautions import CautionKind
from adapters.accounting.contract import Check, CheckOutcome, Verdict
from adapters.accounting.failures import FailureKind, FailureReporting
from tests.adapters.accounting.fava.checking import (
    assert_ready,
    checked,
    checks_of,
    failure_at,
    opened,
)
from tests.support import steps
from tests.support.fava_server import FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

TODAY = dt.datetime.now(dt.UTC).date()


def only_caution(outcomes: list[CheckOutcome]) -> CautionKind:
    """Ready all the same, with one warning of the last check."""
    assert [outcome.verdict for outcome in outcomes] == [Verdict.PASSED, Verdict.PASSED, Verdict.WARNING]
    (caution,) = outcomes[-1].cautions
    assert caution.cause.startswith(("Fava ", "Whether Fava "))
    assert caution.remedy.endswith(".")
    return caution.kind


@pytest.mark.parametrize("account", ["Assets:Unknown", "Assets:Old", "Expenses", "not an account"])
async def test_a_configured_account_that_cannot_be_booked_on(fava: FavaServer, account: str) -> None:
    outcomes = await checks_of(fava.url, wallet="Assets:Pleo", contra=account)
    failure = failure_at(outcomes, Check.WRITABILITY, FailureKind.CONFIGURATION_MISSING)
    assert (
        failure.cause == f"The configuration names account {account}, which Fava does not have or has closed."
    )
    assert failure.remedy.startswith(f"Provide account {account} in Fava")
    for reporting in FailureReporting:
        told = failure.told_to_pleo(reporting)
        assert told == ("missing_configuration", f"{failure.cause} {failure.remedy}")
    assert_ready(await checks_of(fava.url, wallet="Assets:Pleo", contra="Assets:Bank"))


@pytest.mark.parametrize(
    "mention",
    [
        '2024-01-01 * "x"\n  Expenses:Travel  1.00 EUR\n  Assets:Ghost\n',
        # Fava lists this one among its accounts.
        f"{TODAY + dt.timedelta(30)} close Assets:Ghost\n",
    ],
    ids=["booked on", "to be closed"],
)
async def test_an_account_that_was_never_opened(fava: FavaServer, mention: str) -> None:
    async with opened(fava.url, contra="Assets:Ghost") as system:
        fava.ledger.write_text(ledger_text() + "\n" + mention)
        failure_at(await checked(system), Check.WRITABILITY, FailureKind.CONFIGURATION_MISSING)
        fava.ledger.write_text(ledger_text() + "\n2020-01-01 open Assets:Ghost\n" + mention)
        assert_ready(await checked(system))


async def test_all_missing_accounts_are_named_once_each(fava: FavaServer) -> None:
    outcomes = await checks_of(fava.url, wallet="Assets:A", contra="Assets:B", out_of_pocket="Assets:A")
    failure = failure_at(outcomes, Check.WRITABILITY, FailureKind.CONFIGURATION_MISSING)
    assert "accounts Assets:A, Assets:B, which" in failure.cause
    assert failure.evidence == "2 of the configured accounts"


@pytest.mark.parametrize(("days", "ready"), [(-1, False), (0, False), (30, True)])
async def test_an_account_counts_until_the_day_it_is_closed(fava: FavaServer, days: int, ready: bool) -> None:
    fava.ledger.write_text(ledger_text() + f"\n{TODAY + dt.timedelta(days)} close Assets:Bank\n")
    async with opened(fava.url, wallet="Assets:Bank") as system:
        outcomes = await checked(system)
        if ready:
            assert_ready(outcomes)
        else:
            failure_at(outcomes, Check.WRITABILITY, FailureKind.CONFIGURATION_MISSING)
        fava.ledger.write_text(ledger_text())
        assert_ready(await checked(system))


async def test_an_account_opened_after_the_connection(fava: FavaServer) -> None:
    async with opened(fava.url, wallet="Assets:New") as system:
        failure_at(await checked(system), Check.WRITABILITY, FailureKind.CONFIGURATION_MISSING)
        fava.ledger.write_text(ledger_text() + "\n2020-01-01 open Assets:New\n")
        assert_ready(await checked(system))


@pytest.mark.parametrize(
    "odd",
    [
        '2024-01-01 * "Unbalanced"\n  Expenses:Travel  1.00 EUR\n  Assets:Pleo  -2.00 EUR\n',
        "this is no directive\n",
        'include "not-there.beancount"\n',
    ],
    ids=["unbalanced", "syntax", "include"],
)
async def test_errors_that_are_in_the_books_already_are_a_warning(fava: FavaServer, odd: str) -> None:
    async with opened(fava.url) as system:
        fava.ledger.write_text(ledger_text() + "\n" + odd)
        outcomes = await checked(system)
        assert only_caution(outcomes) is CautionKind.BOOKS_HAVE_ERRORS
        count = len(fava.ask("errors"))
        assert f"shows {count} error(s)" in outcomes[-1].cautions[0].cause
        fava.ledger.write_text(ledger_text())
        assert_ready(await checked(system))


async def test_a_file_too_large_for_a_proxy(between: ScriptedServer) -> None:
    async with opened(between.url("/books-of-example")) as system:
        between.let_pass(7)
        between.play(steps.answer(413))
        assert only_caution(await checked(system)) is CautionKind.STORAGE_UNPROVED
        assert between.requests[-1].method == "PUT"
        assert_ready(await checked(system))


async def test_a_file_too_large_to_be_read(fava: FavaServer) -> None:
    async with opened(fava.url) as system:
        fava.ledger.write_text(ledger_text() + "\n" + (";" * 99 + "\n") * 170_000)
        assert only_caution(await checked(system)) is CautionKind.STORAGE_UNPROVED
        fava.ledger.write_text(ledger_text())
        assert_ready(await checked(system))
