"""`pleo-export demo --tryton`: the real flow against a real Tryton on PostgreSQL, in five states."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from adapters.accounting.failures import FailureKind
from flows.commands.demo_environment import demo_environment
from flows.commands.demo_scenarios import Scenario, play, sum_up
from flows.commands.local_services import free_port, installed_program
from flows.commands.tryton_books import BookKeeper, Interface
from flows.commands.tryton_services import (
    create_database,
    create_tables,
    local_postgresql,
    tryton,
    write_configuration,
)
from flows.terminal import print_rows

_DATABASE = "demo"
_EXPENSES = ("5.1.1",)
_WALLET = "1.1.1"
_OUT_OF_POCKET = "2.1.9"
_READABLE = ("move", "move.line", "account", "period", "fiscalyear", "journal", "journal.period")


@dataclass(frozen=True)
class _Books:
    """A company's books in Tryton: the administrator's way in, the address, and keys by user."""

    admin: Interface
    company: int
    address: str
    keys: Mapping[str, str]

    def connection(self, key: str) -> Callable[[], AbstractContextManager[Mapping[str, str]]]:
        """Make the settings of a connection with this application key."""
        settings = {
            "ACCOUNTING__SYSTEM": "tryton",
            "ACCOUNTING__URL": self.address,
            "ACCOUNTING__DATABASE": _DATABASE,
            "ACCOUNTING__APPLICATION_KEY": key,
            "ACCOUNTING__JOURNAL": "EXP",
            "POSTING": "final",
            "ACCOUNTS__WALLET": _WALLET,
            "ACCOUNTS__OUT_OF_POCKET": _OUT_OF_POCKET,
        }
        return lambda: contextlib.nullcontext(settings)

    def show_moves(self, console: Console) -> None:
        """Print the lines of all entries, as Tryton gives them."""
        names = ["move.description", "date", "account.code", "account.name", "debit", "credit", "state"]
        lines = self.admin.call("model.account.move.line.search_read", [], 0, None, [["id", "ASC"]], names)
        print_rows("Lines of entries in Tryton now", [_shown(line) for line in lines], console)

    @contextlib.contextmanager
    def every_period_closed(self) -> Iterator[Mapping[str, str]]:
        """Close all periods for a while, and give the clerk's connection."""
        periods = self.admin.find("account.period", company=self.company, state="open")
        self.admin.press("account.period", "close", periods)
        try:
            with self.connection(self.keys["clerk"])() as settings:
                yield settings
        finally:
            self.admin.press("account.period", "reopen", periods)


def _shown(line: Mapping[str, Any]) -> dict[str, str]:
    account, date = line["account."], line["date"]
    return {
        "date": f"{date['year']}-{date['month']:02}-{date['day']:02}",
        "account": f"{account['code']} {account['name']}",
        "debit": str(line["debit"]["decimal"]),
        "credit": str(line["credit"]["decimal"]),
        "state": str(line["state"]),
    }


def run_tryton_demo(*, as_json: bool) -> bool:
    """Set up a Tryton with one company, run the scenarios, and tell whether all ended rightly.

    Raises:
        ServiceError: Tryton is not installed here, or a server did not come up.

    """
    console = Console(stderr=as_json)
    installed_program("trytond")
    with demo_environment(console) as folder, local_postgresql(folder / "postgresql") as postgresql:
        port = free_port()
        configuration = _create(folder, postgresql, port, console)
        with tryton(configuration, port=port) as address:
            console.print("Founding a company, its accounts and users ...")
            books = _fill(address)
            records = [play(scenario, console) for scenario in _scenarios(books)]
        stopped = Scenario(
            "(e) Tryton is stopped: the job ends failed in Pleo",
            books.connection(books.keys["clerk"]),
            _EXPENSES,
            FailureKind.CONNECTION_REFUSED,
        )
        records.append(play(stopped, console))
    return sum_up(records, console, as_json=as_json)


def _scenarios(books: _Books) -> tuple[Scenario, ...]:
    return (
        Scenario(
            "(a) a healthy Tryton: four items are booked, one has no account",
            books.connection(books.keys["clerk"]),
            _EXPENSES,
            afterwards=books.show_moves,
        ),
        Scenario(
            "(b) the key of an auditor, who may only read: the job ends failed in Pleo",
            books.connection(books.keys["auditor"]),
            _EXPENSES,
            FailureKind.CREATION_NOT_ALLOWED,
        ),
        Scenario(
            "(c) every accounting period is closed: the job ends failed in Pleo",
            books.every_period_closed,
            _EXPENSES,
            FailureKind.NO_OPEN_PERIOD,
        ),
        Scenario(
            "(d) a wrong application key: the job ends failed in Pleo",
            books.connection("mistyped"),
            _EXPENSES,
            FailureKind.CREDENTIALS_REFUSED,
        ),
    )


def _create(folder: Path, postgresql: str, port: int, console: Console) -> Path:
    """Create an empty Tryton database and give the configuration of the server."""
    console.print("Creating a Tryton database on PostgreSQL; this takes about half a minute ...")
    create_database(postgresql, _DATABASE)
    configuration = write_configuration(folder, postgresql, port=port)
    create_tables(configuration, _DATABASE, ("account", "account_invoice"))
    return configuration


def _fill(address: str) -> _Books:
    admin = Interface(address, _DATABASE)
    keeper = BookKeeper(admin)
    company = keeper.found_company("Demo Company")
    keeper.open_account(company, _OUT_OF_POCKET, "Owed to employees", like=_WALLET)
    keeper.open_year(company, dt.datetime.now(dt.UTC).year)
    readers = keeper.readers("Readers of the books", [f"account.{name}" for name in _READABLE])
    users = {
        "clerk": keeper.employ("clerk", groups=[keeper.accountants()], companies=[company]),
        "auditor": keeper.employ("auditor", groups=[readers], companies=[company]),
    }
    keys = {login: admin.application_key(user) for login, user in users.items()}
    return _Books(admin, company, address, keys)
