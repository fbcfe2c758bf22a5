"""The books as they lie on the disk: the ledger's file and Tryton's database, past product and server."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol, Self

from beancount import loader
from beancount.core.data import Transaction

from flows.commands.tryton_services import tryton, write_configuration
from tests.flows.exports import BOOKS
from tests.support.fava_server import SLUG, FavaServer
from tests.support.ports import free_port
from tests.support.tryton_server import ACCOUNT, JOURNAL, OTHER_ACCOUNT, TrytonServer

Sums = dict[str, int]
"""Hundredths by account."""


@dataclass
class Held:
    """What the books hold of one expense.

    Attributes:
        entries: how often it is in there.
        sums: of all these entries.
        files: digest of each file that is attached, as often as it is.

    """

    entries: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)


class Books(Protocol):
    """One accounting system as the harness needs it."""

    port: int
    expense: str
    wallet: str

    def settings(self, origin: str) -> dict[str, str]:
        """Settings of a connection to it through an address without a path."""

    def renew(self) -> None:
        """Have no entries of earlier cases, or know which ones are of earlier cases."""

    def go_away(self) -> None:
        """End the server's process at once."""

    def come_back(self) -> None:
        """Start the server again, at the same address, unless it runs."""

    def mend(self) -> None:
        """Have it take entries, where it took none so far."""

    def held(self) -> Mapping[str, Held]:
        """Everything since `renew`, by Pleo's id; what names no such id is under its own text."""

    def flaws(self) -> list[str]:
        """Whatever else is not as it should be."""


class Ledger:
    """A ledger and the Fava that serves it.

    Attributes:
        broken: each case begins with a Fava that takes no entries.

    """

    expense, wallet = "Expenses:Travel", "Assets:Pleo:Wallet"

    def __init__(self, fava: FavaServer) -> None:
        self.fava = fava
        self.broken = False
        self._read_only = False
        self.port = fava.port
        self._documents = fava.ledger.parent / "documents"

    def settings(self, origin: str) -> dict[str, str]:
        return {"ACCOUNTING__SYSTEM": "fava", "ACCOUNTING__URL": f"{origin}/{SLUG}"}

    def renew(self) -> None:
        shutil.rmtree(self._documents, ignore_errors=True)
        self._documents.mkdir()  # Beancount calls a ledger wrong whose folder for documents is not there
        self.fava.ledger.write_text(BOOKS)
        if self.broken != self._read_only:
            self.fava.restart(*["--read-only"] * self.broken)
            self._read_only = self.broken

    def mend(self) -> None:
        if self._read_only:
            self.fava.restart()
            self._read_only = False

    def go_away(self) -> None:
        self.fava.stop()

    def come_back(self) -> None:
        if not self.fava.running:
            self.fava.start()

    def held(self) -> Mapping[str, Held]:
        held: dict[str, Held] = {}
        for entry in self._transactions():
            names = [link.removeprefix("pleo-") for link in entry.links if link.startswith("pleo-")]
            one = held.setdefault(names[0] if names else entry.narration or "", Held())
            one.entries += 1
            for posting in entry.postings:
                assert posting.units.currency == "EUR"
                one.sums[posting.account] += _hundredths(posting.units.number)
            named = [str(value) for key, value in entry.meta.items() if key.startswith("document")]
            one.files += [digest(self._file(name)) for name in named]
        return held

    def flaws(self) -> list[str]:
        _, errors, _ = loader.load_file(str(self.fava.ledger))
        kept = sum(path.is_file() for path in self._documents.rglob("*"))
        named = sum(len(each.files) for each in self.held().values())
        return [*map(str, errors), *([f"{kept} files, {named} of them named"] if kept != named else [])]

    def _transactions(self) -> list[Transaction]:
        entries, _, _ = loader.load_file(str(self.fava.ledger))
        return [entry for entry in entries if isinstance(entry, Transaction)]

    def _file(self, name: str) -> bytes:
        (path,) = self._documents.rglob(Path(name).name)
        return path.read_bytes()


class TrytonBooks:
    """A copy of the books in Tryton, read from its database; a context manager.

    It has a Tryton process of its own, which can be ended without harm to the one that made the copy.
    """

    expense, wallet = OTHER_ACCOUNT, ACCOUNT

    def __init__(self, server: TrytonServer, database: str, folder: Path) -> None:
        self.port = free_port()
        self._server, self._database = server, database
        self._configuration = write_configuration(folder, server.postgres.address, port=self.port)
        self._folder = folder
        self._process = contextlib.ExitStack()
        self._runs = False
        self._earlier = -1

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()

    def go_away(self) -> None:
        self._process.close()
        self._runs = False

    def mend(self) -> None:
        return  # it always takes entries

    def come_back(self) -> None:
        if not self._runs:
            self._process.enter_context(tryton(self._configuration, port=self.port))
            self._runs = True

    def settings(self, origin: str) -> dict[str, str]:
        return {
            "ACCOUNTING__SYSTEM": "tryton",
            "ACCOUNTING__URL": origin,
            "ACCOUNTING__DATABASE": self._database,
            "ACCOUNTING__APPLICATION_KEY": self._server.books.keys["clerk"],
            "ACCOUNTING__JOURNAL": JOURNAL,
        }

    def renew(self) -> None:
        ((self._earlier,),) = self._rows("select coalesce(max(id), -1) from account_move")

    def held(self) -> Mapping[str, Held]:
        held: dict[str, Held] = {}
        by_move: dict[int, Held] = {}
        moves = "select id, description from account_move where id > %s"
        for move, description in self._rows(moves, self._earlier):
            found = re.match(r"pleo:([0-9a-f-]{36})", description or "")
            one = by_move[move] = held.setdefault(found[1] if found else str(description), Held())
            one.entries += 1
        lines = (
            "select l.move, a.code, l.debit - l.credit from account_move_line l "
            "join account_account a on a.id = l.account where l.move > %s"
        )
        for move, account, amount in self._rows(lines, self._earlier):
            by_move[move].sums[account] += _hundredths(amount)
        for resource, name in self._rows("select resource, file_id from ir_attachment"):
            model, _, number = resource.partition(",")
            if model == "account.move" and int(number) in by_move:
                by_move[int(number)].files.append(digest(self._file(name)))
        return held

    def flaws(self) -> list[str]:
        lost = "select count(*) from account_move_line where move is null"
        ((number,),) = self._rows(lost)
        return [f"{number} lines without an entry"] if number else []

    def unposted(self) -> int:
        """Entries since `renew` that are drafts."""
        drafts = "select count(*) from account_move where id > %s and state = 'draft'"
        ((number,),) = self._rows(drafts, self._earlier)
        return int(number)

    def _file(self, name: str) -> bytes:
        """Content of an attachment: Tryton keeps it in a folder, and its name there in the database."""
        (path,) = (self._folder / "files" / self._database).rglob(name)
        return path.read_bytes()

    def _rows(self, statement: str, *values: int) -> list[tuple[object, ...]]:
        with self._server.postgres.connect(self._database) as connection:
            return list(connection.execute(statement, values).fetchall())


def digest(data: bytes) -> str:
    """Short name for a file's content."""
    return hashlib.sha256(data).hexdigest()[:12]


def _hundredths(amount: Decimal) -> int:
    hundredths = amount * 100
    assert hundredths == int(hundredths)
    return int(hundredths)
