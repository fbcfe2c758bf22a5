"""Has the user of the key every right that booking needs?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from adapters.accounting.failures import FailureKind
from flows.commands.tryton_books import BookKeeper, Interface
from tests.adapters.accounting.tryton.conftest import Connection, Spoil, assert_ready, refused
from tests.support.tryton_server import TrytonServer

NOT_ALLOWED = FailureKind.CREATION_NOT_ALLOWED


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
        ("ir.attachment", "read"),
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
