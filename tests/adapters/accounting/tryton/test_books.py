"""Have the books what the configuration names, and a period that takes entries?"""

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
from adapters.accounting.failures import FailureKind
from flows.commands.tryton_books import ADMIN, Interface
from flows.commands.tryton_services import create_database, create_tables, write_configuration
from tests.adapters.accounting.tryton.conftest import Connection, Spoil, assert_ready, refused
from tests.support.ports import free_port
from tests.support.tryton_server import (
    ACCOUNT,
    COMPANY,
    HEADING,
    JOURNAL,
    OTHER_ACCOUNT,
    OTHER_COMPANY,
    TrytonServer,
    open_periods,
)

MISSING = FailureKind.CONFIGURATION_MISSING


async def test_the_journal_must_be_there_and_active_and_the_only_one_with_its_code(
    connection: Connection, admin: Interface, changed: Spoil, added: Spoil
) -> None:
    unknown = await refused(connection.but(journal="PLEO"), MISSING)
    assert "names journal PLEO, which Tryton does not have" in unknown.cause
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
    assert "names accounts 9.9.9, 8.8.8, which Tryton" in failure.cause
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
    assert f"names account {OTHER_ACCOUNT}, which" in failure.cause
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
    with sees_all, _closed(admin, open_periods(admin, tryton.books.company)):
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
    rows = [{"journal": journal, "period": period} for period in open_periods(admin, tryton.books.company)]
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
    with _closed(admin, open_periods(admin, tryton.books.company, of=_today())):
        outcome = await assert_ready(connection)
    _assert_cautious(outcome)
    assert (await assert_ready(connection)).verdict is Verdict.PASSED


async def test_todays_period_locked_or_missing_is_a_caution_and_a_closed_year_is_more(
    tryton: TrytonServer, connection: Connection
) -> None:
    with tryton.copy() as name:
        copied, admin = connection.but(database=name), Interface(tryton.url, name)
        (today,) = open_periods(admin, tryton.books.company, of=_today())
        admin.press("account.period", "close", [today])
        admin.press("account.period", "lock_", [today])
        _assert_cautious(await assert_ready(copied))
        with tryton.postgres.connect(name) as postgres:  # nobody unlocks a period, Tryton neither
            postgres.execute("update account_period set state = 'open' where id = %s", [today])
            assert (await assert_ready(copied)).verdict is Verdict.PASSED
            postgres.execute("update account_fiscalyear set state = 'closed'")
            await refused(copied, FailureKind.NO_OPEN_PERIOD)
            postgres.execute("update account_fiscalyear set state = 'open'")
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
