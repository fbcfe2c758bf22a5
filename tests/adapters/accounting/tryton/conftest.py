"""One Tryton for all of these tests; a test that spoils its books mends them, or takes a copy of its own."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.accounting.contract import BookingAccounts, Check, CheckOutcome
from adapters.accounting.failures import Failure, FailureKind
from adapters.accounting.tryton.adapter import TrytonSettings, TrytonSystem
from flows.commands.tryton_books import Interface
from flows.rules.readiness import Readiness
from tests.support.kept_folder import kept_folder
from tests.support.tryton_server import ACCOUNT, JOURNAL, OTHER_ACCOUNT, TrytonServer, tryton_server

DEADLINE = 20.0


_FOLDER = Path(__file__).parent
_SECONDS_WITH_SET_UP = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first of these tests time to set the books up, unless they are in the cache."""
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.timeout(_SECONDS_WITH_SET_UP))
            break


@pytest.fixture(scope="session")
def tryton(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    with tryton_server(kept_folder(pytestconfig, tmp_path_factory, "tryton")) as server:
        yield server


@pytest.fixture(scope="session")
def database(tryton: TrytonServer) -> Iterator[str]:
    with tryton.copy() as name:
        yield name


@pytest.fixture(scope="session")
def admin(tryton: TrytonServer, database: str) -> Interface:
    """The administrator, who spoils the books and mends them."""
    return Interface(tryton.url, database)


class Connection:
    """Settings of a connection to a Tryton, and its checks."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def but(self, **settings: Any) -> Connection:
        """The same connection with some settings of another value."""
        return Connection(**{**self.settings, **settings})

    @contextlib.asynccontextmanager
    async def system(self) -> AsyncIterator[TrytonSystem]:
        settings = dict(self.settings)
        deadline = settings.pop("deadline", DEADLINE)
        accounts = BookingAccounts(**settings.pop("accounts", {}))
        system = TrytonSystem(
            TrytonSettings.model_validate(settings),
            accounts=accounts,
            deadline=deadline,
        )
        try:
            yield system
        finally:
            await system.aclose()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Readiness]:
        deadline = self.settings.get("deadline", DEADLINE)
        async with self.system() as system:
            yield Readiness(system, check_deadline=deadline, validation_deadline=10 * deadline)

    async def check(self, check: Check) -> CheckOutcome:
        async with self.opened() as readiness:
            return await readiness.run(check)

    async def check_all(self) -> list[CheckOutcome]:
        async with self.opened() as readiness:
            return await readiness.run_all()


@pytest.fixture
def connection(tryton: TrytonServer, database: str, admin: Interface) -> Connection:
    """The clerk's connection, which passes every check."""
    return Connection(
        system="tryton",
        url=tryton.url,
        database=database,
        application_key=tryton.books.keys["clerk"],
        journal=JOURNAL,
        accounts={"wallet": ACCOUNT, "out_of_pocket": OTHER_ACCOUNT},
    )


@dataclasses.dataclass
class Ledger:
    """A copy of the books that entries are booked in, with the clerk's connection to it."""

    connection: Connection
    admin: Interface
    company: int

    def moves(self, *references: UUID) -> list[dict[str, Any]]:
        """What Tryton has under these references."""
        marks = [["description", "like", f"pleo:{reference}%"] for reference in references]
        names = ["description", "state", "number", "rec_name", "date", "lines"]
        found = self.admin.call("model.account.move.search_read", ["OR", *marks], 0, None, [], names)
        return list(found)

    def lines(self, move: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines of one of them, in the order in which they were given."""
        names = ["account", "debit", "credit", "description"]
        lines = self.admin.call("model.account.move.line.read", move["lines"], names)
        return sorted(lines, key=lambda line: int(line["id"]))


@contextlib.contextmanager
def a_ledger(tryton: TrytonServer) -> Iterator[Ledger]:
    """A ledger of one's own."""
    with tryton.copy() as name:
        connection = Connection(
            system="tryton",
            url=tryton.url,
            database=name,
            application_key=tryton.books.keys["clerk"],
            journal=JOURNAL,
            accounts={},
        )
        admin = Interface(tryton.url, name)
        admin.context["company"] = tryton.books.company
        yield Ledger(connection, admin, tryton.books.company)


@pytest.fixture(scope="session")
def ledger(tryton: TrytonServer) -> Iterator[Ledger]:
    """One for all tests that book: drafts keep a period from being closed, which other tests do."""
    with a_ledger(tryton) as ledger:
        yield ledger


Spoil = Callable[..., contextlib.AbstractContextManager[None]]


@pytest.fixture
def changed(admin: Interface) -> Spoil:
    """Change a record for a while: `with changed("account.journal", id, active=False)`."""

    @contextlib.contextmanager
    def change(model: str, record: int, **values: Any) -> Iterator[None]:
        (before,) = admin.call(f"model.{model}.read", [record], list(values))
        admin.write(model, [record], **values)
        try:
            yield
        finally:
            admin.write(model, [record], **{name: before[name] for name in values})

    return change


@pytest.fixture
def added(admin: Interface) -> Spoil:
    """Add a record for a while: `with added("ir.model.access", model="account.move")`."""

    @contextlib.contextmanager
    def add(record_model: str, /, **values: Any) -> Iterator[None]:
        record = admin.create(record_model, **values)
        try:
            yield
        finally:
            admin.call(f"model.{record_model}.delete", [record])

    return add


async def refused(connection: Connection, kind: FailureKind) -> Failure:
    """The failure of the check of writability, which must be of this kind."""
    outcome = await connection.check(Check.WRITABILITY)
    assert outcome.failure is not None, outcome.verdict
    assert outcome.failure.kind is kind, outcome.failure
    return outcome.failure


async def assert_ready(connection: Connection) -> CheckOutcome:
    """The outcome of the check of writability, which must be passed."""
    outcome = await connection.check(Check.WRITABILITY)
    assert outcome.passed, outcome.failure
    return outcome
