"""A real Tryton on PostgreSQL with one company, of whose books every measured run gets a copy."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.accounting.booking import Entry
from flows.commands.local_services import free_port
from flows.commands.tryton_books import BookKeeper, Interface
from flows.commands.tryton_services import (
    create_database,
    create_tables,
    local_postgresql,
    tryton,
    write_configuration,
)

_TEMPLATE = "bench"
JOURNAL, WALLET, EXPENSE = "EXP", "1.1.1", "5.1.1"


@dataclass(frozen=True)
class Ground:
    """Ids that an entry of the naive client needs."""

    company: int
    journal: int
    accounts: dict[str, int]
    periods: dict[int, int]

    def values(self, entry: Entry) -> dict[str, Any]:
        """Give the values of Tryton's fields."""
        day = entry.date
        return {
            "company": self.company,
            "journal": self.journal,
            "period": self.periods[day.month],
            "date": {"__class__": "date", "year": day.year, "month": day.month, "day": day.day},
            "description": f"{entry.reference} {entry.payee}: {entry.description}",
            "lines": [
                [
                    "create",
                    [
                        {
                            "account": self.accounts[line.account],
                            "debit": _decimal(max(line.amount, 0)),
                            "credit": _decimal(max(-line.amount, 0)),
                            "description": line.description,
                        }
                        for line in entry.lines
                    ],
                ]
            ],
        }


def _decimal(hundredths: int) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": f"{hundredths // 100}.{hundredths % 100:02}"}


@dataclass
class TrytonBooks:
    """A running Tryton and the books that are copied; `key` is the clerk's application key."""

    url: str
    key: str
    company: int
    _postgresql: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Copy the books and give the name of their database."""
        name = f"{_TEMPLATE}_{next(self._numbers)}"
        create_database(self._postgresql, name, template=_TEMPLATE)
        yield name

    def ground(self, database: str) -> Ground:
        """Read what the naive client needs to know; it does so once, and that is not measured."""
        admin = Interface(self.url, database)
        year = dt.datetime.now(dt.UTC).year
        periods = admin.call(
            "model.account.period.search_read",
            [["company", "=", self.company], ["start_date", ">=", dt.date(year, 1, 1)]],
            *(0, None, None, ["start_date"]),
        )
        return Ground(
            self.company,
            admin.find_one("account.journal", code=JOURNAL),
            {
                code: admin.find_one("account.account", code=code, company=self.company)
                for code in (WALLET, EXPENSE)
            },
            {period["start_date"]["month"]: period["id"] for period in periods},
        )


@contextmanager
def tryton_books(folder: Path) -> Iterator[TrytonBooks]:
    """Set up books, which takes about half a minute, and serve copies of them until the block ends."""
    folder.mkdir()
    with local_postgresql(folder / "postgresql") as postgresql:
        create_database(postgresql, _TEMPLATE)
        port = free_port()
        configuration = write_configuration(folder, postgresql, port=port)
        create_tables(configuration, _TEMPLATE, ("account", "account_invoice"))
        with tryton(configuration, port=port) as url:
            admin = Interface(url, _TEMPLATE)
            keeper = BookKeeper(admin)
            company = keeper.found_company("Bench GmbH")
            keeper.open_year(company, dt.datetime.now(dt.UTC).year)
            key = admin.application_key(
                keeper.employ("clerk", groups=[keeper.accountants()], companies=[company])
            )
        port = free_port()
        _forbid_use(postgresql)
        configuration = write_configuration(folder, postgresql, port=port)
        with tryton(configuration, port=port) as url:
            yield TrytonBooks(url, key, company, postgresql)


def _forbid_use(postgresql: str) -> None:
    """Keep Tryton from looking into the template, which nobody may use while it is copied."""
    import psycopg

    with psycopg.connect(postgresql, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"alter database {_TEMPLATE} is_template true")
