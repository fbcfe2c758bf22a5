"""Is the application key accepted?"""

from __future__ import annotations

import pytest

from adapters.accounting.contract import Check, CheckOutcome
from adapters.accounting.failures import FailureKind, FailureReporting
from flows.commands.tryton_books import Interface
from tests.adapters.accounting.tryton.conftest import Connection
from tests.support.tryton_server import TrytonServer


def assert_refused(outcome: CheckOutcome, key: str) -> None:
    failure = outcome.failure
    assert failure is not None
    assert failure.kind is FailureKind.CREDENTIALS_REFUSED
    assert failure.cause == "Tryton refused the application key."
    assert "Get valid credentials for Tryton" in failure.remedy
    told = failure.told_to_pleo(FailureReporting.SPECIFIC)
    assert told.type == "accounting_system_authentication_failure"
    assert key not in f"{failure} {told}"


@pytest.mark.parametrize("wrong", ["unheard-of", "0" * 128, 'a"b\\c', "Bearer of bad news"])
async def test_a_wrong_key_is_refused_and_the_right_one_accepted(wrong: str, connection: Connection) -> None:
    assert_refused(await connection.but(application_key=wrong).check(Check.AUTH), wrong)
    assert (await connection.check(Check.AUTH)).passed


async def test_a_revoked_key_is_refused_and_a_new_one_accepted(
    tryton: TrytonServer, connection: Connection, admin: Interface
) -> None:
    revoked = admin.application_key(tryton.books.users["clerk"])
    assert (await connection.but(application_key=revoked).check(Check.AUTH)).passed
    admin.press("res.user.application", "cancel", admin.find("res.user.application", key=revoked))
    assert_refused(await connection.but(application_key=revoked).check(Check.AUTH), revoked)
    renewed = admin.application_key(tryton.books.users["clerk"])
    assert (await connection.but(application_key=renewed).check(Check.AUTH)).passed


async def test_a_key_is_refused_until_a_person_has_validated_it(
    tryton: TrytonServer, connection: Connection, admin: Interface, database: str
) -> None:
    requested = tryton.request_key(database, "clerk")
    assert_refused(await connection.but(application_key=requested).check(Check.AUTH), requested)
    admin.press("res.user.application", "validate_", admin.find("res.user.application", key=requested))
    assert (await connection.but(application_key=requested).check(Check.AUTH)).passed


async def test_a_deleted_key_is_refused(
    tryton: TrytonServer, connection: Connection, admin: Interface
) -> None:
    deleted = admin.application_key(tryton.books.users["clerk"])
    admin.call("model.res.user.application.delete", admin.find("res.user.application", key=deleted))
    assert_refused(await connection.but(application_key=deleted).check(Check.AUTH), deleted)
    assert (await connection.check(Check.AUTH)).passed


async def test_a_database_that_is_gone_by_now_is_not_blamed_on_the_key(connection: Connection) -> None:
    outcome = await connection.but(database="gone").check(Check.AUTH)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.WRONG_ADDRESS
    assert "PLEO_EXPORT_ACCOUNTING__DATABASE" in outcome.failure.remedy
    assert (await connection.check(Check.AUTH)).passed
