"""Could the user of the key create an entry now, with all that belongs to it?"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.cautions import CautionKind
from adapters.accounting.contract import Check, CheckOutcome, Verdict
from adapters.accounting.failures import Failure, FailureKind
from flows.commands.tryton_books import ADMIN, BookKeeper, Interface
from flows.commands.tryton_services import create_database, create_tables, write_configuration
from tests.adapters.accounting.tryton.conftest import Connection, Spoil
from tests.support.ports import free_port
from tests.support.tryton_server import (
    ACCOUNT,
    COMPANY,
    HEADING,
    JOURNAL,
    OTHER_ACCOUNT,
    OTHER_COMPANY,
    TrytonServer,
)

MISSING = FailureKind.CONFIGURATION_MISSING
NOT_ALLOWED = FailureKind.CREATION_NOT_ALLOWED


async def refused(connection: Connection, kind: FailureKind) -> Failure:
    outcome = await connection.check(Check.WRITABILITY)
    assert outcome.failure is not None, outcome.verdict
    assert outcome.failure.kind is kind, outcome.failure
    return outcome.failure


async def assert_ready(connection: Connection) -> CheckOutcome:
    outcome = await connection.check(Check.WRITABILITY)
    assert outcome.passed, outcome.failure
    return outcome


@pytest.mark.parametrize("login", ["auditor", "viewer"])
async def test_a_user_who_may_not_book_is_named_and_may_be_given_the_right(
    login: str, tryton: TrytonServer, connection: Connection, admin: Interface
) -> None:
    theirs = connection.but(application_key=tryton.books.keys[login])
    failure = await refused(theirs, NOT_ALLOWED)
    assert failure.cause == f"User {login.title()} may not create entries in Tryton."
    assert failure.remedy.startswith(f"Give user {login.title()} the right")
    assert "create account.move," in failure.evidence
    group = BookKeeper(admin).accountants()
    admin.write("res.user", [tryton.books.users[login]], groups=[["add", [group]]])
    try:
        await assert_ready(theirs)
    finally:
        admin.write("res.user", [tryton.books.users[login]], groups=[["remove", [group]]])


@pytest.mark.parametrize(
    ("model", "right"),
    [
        ("account.move", "create"),
        ("account.move", "write"),
        ("account.move", "read"),
        ("ir.attachment", "create"),
        ("account.account", "read"),
        ("account.journal", "read"),
        ("account.period", "read"),
    ],
)
async def test_each_right_that_booking_needs_is_asked_for(
    model: str, right: str, connection: Connection, admin: Interface
) -> None:
    granted = {f"perm_{each}": each != right for each in ("read", "write", "create")}
    with contextlib.ExitStack() as stack:
        # Tryton counts a right to the fiscal year as one to its periods.
        for each in (model, *(["account.fiscalyear"] if model == "account.period" else [])):
            stack.enter_context(_only_right(admin, each, granted))
        failure = await refused(connection, NOT_ALLOWED)
    assert f"{right} {model}" in failure.evidence
    await assert_ready(connection)


@contextlib.contextmanager
def _only_right(admin: Interface, model: str, granted: dict[str, bool]) -> Iterator[None]:
    """Put one right for all users in the place of those that there are for a model."""
    others = admin.find("ir.model.access", model=model)
    admin.write("ir.model.access", others, active=False)
    right = admin.create("ir.model.access", model=model, **granted)
    try:
        yield
    finally:
        admin.call("model.ir.model.access.delete", [right])
        admin.write("ir.model.access", others, active=True)


@pytest.mark.parametrize(
    ("model", "field"),
    [("account.move", "description"), ("account.move", "lines"), ("account.move.line", "debit")],
)
@pytest.mark.parametrize("readable", [True, False])
async def test_a_field_that_may_not_be_written_is_told(
    model: str, field: str, readable: bool, connection: Connection, added: Spoil
) -> None:
    with added("ir.model.field.access", model=model, field=field, perm_read=readable, perm_write=False):
        failure = await refused(connection, NOT_ALLOWED)
    assert f"write {model}.{field}" in failure.evidence
    await assert_ready(connection)


async def test_a_nameless_user_is_called_the_user_of_the_key(
    tryton: TrytonServer, connection: Connection, changed: Spoil
) -> None:
    auditors = connection.but(application_key=tryton.books.keys["auditor"])
    with changed("res.user", tryton.books.users["auditor"], name=None):
        nameless = await refused(auditors, NOT_ALLOWED)
    assert nameless.cause == "The user of the application key may not create entries in Tryton."
    assert "Auditor" in (await refused(auditors, NOT_ALLOWED)).cause


async def test_the_journal_must_be_there_and_active_and_the_only_one_with_its_code(
    connection: Connection, admin: Interface, changed: Spoil, added: Spoil
) -> None:
    unknown = await refused(connection.but(journal="PLEO"), MISSING)
    assert unknown.cause.startswith("Journal PLEO from the configuration does not exist")
    with added("account.journal", name="Pleo", code="PLEO", type="expense"):
        await assert_ready(connection.but(journal="PLEO"))
    with changed("account.journal", admin.find_one("account.journal", code=JOURNAL), active=False):
        await refused(connection, MISSING)
    await assert_ready(connection)
    with added("account.journal", name="Double", code=JOURNAL, type="expense"):
        assert "2 active journals" in (await refused(connection, MISSING)).evidence
    await assert_ready(connection)


async def test_a_journals_name_is_not_its_code(connection: Connection) -> None:
    await refused(connection.but(journal="Expense"), MISSING)
    await assert_ready(connection.but(journal="EXP"))


async def test_unknown_accounts_are_all_named_once(connection: Connection) -> None:
    accounts = {"wallet": "9.9.9", "contra": ACCOUNT, "out_of_pocket": "8.8.8", "fallback_payables": "9.9.9"}
    failure = await refused(connection.but(accounts=accounts), MISSING)
    assert failure.cause.startswith("Accounts 9.9.9, 8.8.8 from the configuration do")
    await assert_ready(connection.but(accounts={"wallet": ACCOUNT}))
    await assert_ready(connection.but(accounts={}))


async def test_a_heading_takes_no_entries(connection: Connection) -> None:
    failure = await refused(connection.but(accounts={"wallet": HEADING}), MISSING)
    assert failure.evidence == f"{HEADING} is a heading without a type"
    await assert_ready(connection)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"closed": True}, "is closed"),
        ({"end_date": dt.date(2020, 1, 1)}, "is not an account in use"),
        ({"start_date": dt.date(2190, 1, 1)}, "is not an account in use"),
    ],
)
async def test_an_account_out_of_use_is_named_until_it_is_in_use_again(
    values: dict[str, Any],
    reason: str,
    tryton: TrytonServer,
    connection: Connection,
    admin: Interface,
    changed: Spoil,
) -> None:
    account = admin.find_one("account.account", code=OTHER_ACCOUNT, company=tryton.books.company)
    with changed("account.account", account, **values):
        failure = await refused(connection, MISSING)
    assert failure.evidence == f"{OTHER_ACCOUNT} {reason}"
    assert failure.cause.startswith(f"Account {OTHER_ACCOUNT} from")
    await assert_ready(connection)


async def test_an_account_of_another_company_does_not_count(
    tryton: TrytonServer, connection: Connection, added: Spoil, admin: Interface, changed: Spoil
) -> None:
    only_there = connection.but(application_key=tryton.books.keys["traveller"], accounts={"wallet": "7.7.7"})
    kind = admin.call("model.account.account.type.search", [["company", "=", tryton.books.other_company]])[0]
    account = {"name": "Far", "code": "7.7.7", "company": tryton.books.other_company, "type": kind}
    sees_all = changed("res.user", tryton.books.users["traveller"], company_filter="all")
    with added("account.account", **account), sees_all:
        await refused(only_there.but(company=COMPANY), MISSING)
        await assert_ready(only_there.but(company=OTHER_COMPANY))


async def test_no_open_period_is_told_whatever_else_is_open(
    tryton: TrytonServer, connection: Connection, admin: Interface, added: Spoil, changed: Spoil
) -> None:
    ours = connection.but(application_key=tryton.books.keys["traveller"], company=COMPANY)
    sees_all = changed("res.user", tryton.books.users["traveller"], company_filter="all")
    with sees_all, _closed(admin, _periods(admin, tryton)):
        year = admin.find("account.fiscalyear", company=tryton.books.company)[0]
        day = dt.date(_today().year, 12, 31)
        adjustment = {"fiscalyear": year, "start_date": day, "end_date": day, "type": "adjustment"}
        await refused(ours, FailureKind.NO_OPEN_PERIOD)
        with added("account.period", name="Adjustments", **adjustment):
            await refused(ours, FailureKind.NO_OPEN_PERIOD)
        await assert_ready(ours.but(company=OTHER_COMPANY))
    await assert_ready(ours)


async def test_a_journal_that_is_closed_in_every_open_period_leaves_none(
    tryton: TrytonServer, connection: Connection, admin: Interface
) -> None:
    journal = admin.find_one("account.journal", code=JOURNAL)
    rows = [{"journal": journal, "period": period} for period in _periods(admin, tryton)]
    closed = admin.call("model.account.journal.period.create", rows)
    admin.press("account.journal.period", "close", closed)
    try:
        failure = await refused(connection, FailureKind.NO_OPEN_PERIOD)
        assert "the journal is closed" in failure.evidence
        await assert_ready(connection.but(journal="REV"))
        admin.press("account.journal.period", "reopen", closed[:1])
        await assert_ready(connection)
    finally:
        admin.call("model.account.journal.period.delete", closed)


async def test_todays_period_closed_is_a_caution_and_still_ready(
    tryton: TrytonServer, connection: Connection, admin: Interface
) -> None:
    with _closed(admin, _periods(admin, tryton, of_today=True)):
        outcome = await assert_ready(connection)
    _assert_cautious(outcome)
    assert (await assert_ready(connection)).verdict is Verdict.PASSED


async def test_todays_period_locked_or_missing_is_a_caution_too(
    tryton: TrytonServer, connection: Connection
) -> None:
    with tryton.copy() as name:
        copied, admin = connection.but(database=name), Interface(tryton.url, name)
        (today,) = _periods(admin, tryton, of_today=True)
        admin.press("account.period", "close", [today])
        admin.press("account.period", "lock_", [today])
        _assert_cautious(await assert_ready(copied))
        with tryton.postgres.connect(name) as postgres:  # nobody unlocks a period, Tryton neither
            postgres.execute("update account_period set state = 'open' where id = %s", [today])
        assert (await assert_ready(copied)).verdict is Verdict.PASSED
        admin.call("model.account.period.delete", [today])
        _assert_cautious(await assert_ready(copied))


def _assert_cautious(outcome: CheckOutcome) -> None:
    assert outcome.verdict is Verdict.WARNING
    (caution,) = outcome.cautions
    assert caution.kind is CautionKind.TODAY_NOT_OPEN
    assert f"{_today():%Y-%m-%d}" in caution.cause
    assert "23 are open" in caution.cause
    assert "in Tryton" in caution.remedy


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _periods(admin: Interface, tryton: TrytonServer, *, of_today: bool = False) -> list[int]:
    domain: list[list[Any]] = [["company", "=", tryton.books.company], ["state", "=", "open"]]
    if of_today:
        domain += [["start_date", "<=", _today()], ["end_date", ">=", _today()]]
    return list(admin.call("model.account.period.search", domain))


@contextlib.contextmanager
def _closed(admin: Interface, periods: list[int]) -> Iterator[None]:
    admin.press("account.period", "close", periods)
    try:
        yield
    finally:
        admin.press("account.period", "reopen", periods)


@pytest.mark.slow
async def test_a_database_without_accounting_holds_no_books(
    tryton: TrytonServer, connection: Connection, tmp_path: Path
) -> None:
    name = f"bare_{os.getpid()}"
    create_database(tryton.postgres.address, name)
    try:
        configuration = write_configuration(tmp_path, tryton.postgres.address, port=free_port())
        create_tables(configuration, name, ["res"])
        admin = Interface(tryton.url, name)
        key = admin.application_key(admin.find_one("res.user", login=ADMIN))
        bare = connection.but(database=name, application_key=key)
        assert (await bare.check(Check.AUTH)).passed
        failure = await refused(bare, FailureKind.WRONG_ADDRESS)
    finally:
        tryton.postgres.drop(name)
    assert failure.evidence == "accounting is not activated in this database"
    assert "PLEO_EXPORT_ACCOUNTING__DATABASE" in failure.remedy
    await assert_ready(connection)
