"""Which company entries go to, for users who work for several, one or none."""

from __future__ import annotations

import pytest

from adapters.accounting.failures import Failure, FailureKind, FailureReporting
from flows.commands.tryton_books import Interface
from tests.adapters.accounting.tryton.conftest import Connection, Spoil, assert_ready, refused
from tests.support.tryton_server import COMPANY, OTHER_COMPANY, TrytonServer

SETTING = "PLEO_EXPORT_ACCOUNTING__COMPANY"


@pytest.fixture
def travellers(tryton: TrytonServer, connection: Connection) -> Connection:
    """The connection of the user who works for both companies, the first one being the current one."""
    return connection.but(application_key=tryton.books.keys["traveller"])


async def refused_as_configuration(connection: Connection, kind: FailureKind) -> Failure:
    failure = await refused(connection, kind)
    for reporting in FailureReporting:
        assert failure.told_to_pleo(reporting).type == "invalid_configuration"
    return failure


async def test_several_companies_must_be_told_apart_by_name(travellers: Connection) -> None:
    failure = await refused_as_configuration(travellers, FailureKind.BOOKS_COMPANY_UNNAMED)
    assert failure.cause.startswith("User Traveller works for several companies in Tryton")
    assert SETTING in failure.remedy
    await assert_ready(travellers.but(company=COMPANY))


async def test_a_company_that_is_not_the_current_one_takes_no_entries(
    tryton: TrytonServer, travellers: Connection, changed: Spoil
) -> None:
    there = travellers.but(company=OTHER_COMPANY)
    failure = await refused_as_configuration(there, FailureKind.BOOKS_COMPANY_NOT_CURRENT)
    assert f"Make company {OTHER_COMPANY} the current one of user Traveller" in failure.remedy
    with changed("res.user", tryton.books.users["traveller"], company=tryton.books.other_company):
        await assert_ready(there)
    with changed("res.user", tryton.books.users["traveller"], company_filter="all"):
        await assert_ready(there)
        await assert_ready(travellers.but(company=COMPANY))


@pytest.mark.parametrize("name", ["Acme", "acme gmbh", OTHER_COMPANY, "No Such"])
async def test_a_company_that_the_user_does_not_work_for_is_named(name: str, connection: Connection) -> None:
    failure = await refused_as_configuration(connection.but(company=name), FailureKind.BOOKS_COMPANY_UNKNOWN)
    assert failure.cause == f"User Clerk does not work for company {name} in Tryton."
    assert SETTING in failure.remedy
    await assert_ready(connection.but(company=COMPANY))
    await assert_ready(connection)


async def test_a_user_without_company_must_be_given_one(
    tryton: TrytonServer, connection: Connection, admin: Interface
) -> None:
    clerk, company = tryton.books.users["clerk"], tryton.books.company
    admin.write("res.user", [clerk], company=None)
    try:
        none_current = await refused_as_configuration(connection, FailureKind.BOOKS_COMPANY_NOT_CURRENT)
        admin.write("res.user", [clerk], companies=[["remove", [company]]])
        none_at_all = await refused_as_configuration(connection, FailureKind.BOOKS_COMPANY_UNKNOWN)
    finally:
        admin.write("res.user", [clerk], companies=[["add", [company]]], company=company)
    assert none_current.evidence == "no company is current"
    assert none_at_all.cause == "User Clerk does not work for any company in Tryton."
    await assert_ready(connection)


async def test_two_companies_of_one_name_are_not_told_apart(
    tryton: TrytonServer, travellers: Connection, admin: Interface, changed: Spoil
) -> None:
    (other,) = admin.call("model.company.company.read", [tryton.books.other_company], ["party"])
    with changed("party.party", other["party"], name=COMPANY):
        await refused_as_configuration(travellers.but(company=COMPANY), FailureKind.BOOKS_COMPANY_UNNAMED)
    await assert_ready(travellers.but(company=COMPANY))
