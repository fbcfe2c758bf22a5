"""How fast entries come into real books, against a client that books one by one, and in how much memory.

Both clients send the same entries, without receipts, into books of their own that are new in each round.
The naive client does for each entry what the system needs to take it, and nothing else: it looks nothing up,
and does not see what Fava says nothing about. Where the product posts for good, so does the naive client.

Fava writes its whole file anew for each entry and reads it anew for each request, so that one by one the
n-th entry takes n times what the first takes: a thousand need minutes. So the naive client is timed in
samples, at the middle of each fifth of the way to a thousand; what lies between is filled in at once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from adapters.accounting.booking import Booked, Entry, EntryLine, Posting
from adapters.accounting.contract import AccountingSystem, BookingAccounts
from adapters.accounting.fava.adapter import FavaSettings, FavaSystem
from adapters.accounting.fava.transactions import as_transaction
from adapters.accounting.tryton.adapter import TrytonSystem
from adapters.accounting.tryton.settings import TrytonSettings
from benchmarks.exporting import measure_memory
from benchmarks.measuring import Series, print_table, verdict
from benchmarks.tryton_books import EXPENSE, JOURNAL, WALLET, TrytonBooks, tryton_books
from flows.commands.local_services import fava_ledger

ROUNDS = 3
FAVA_ENTRIES, TRYTON_ENTRIES, POSTED_ENTRIES = 1000, 200, 100
FAVA_AIM, TRYTON_AIM = 20, 9
_FIFTHS, _SAMPLE = 5, 10
_DEADLINE = 60.0
_WARM_UP = 10
_LEDGER = (
    'option "title" "Bench"\noption "operating_currency" "EUR"\n'
    "2020-01-01 open Expenses:Travel\n2020-01-01 open Assets:Pleo\n"
)


@dataclass
class _Comparison:
    """The product and the naive client at the same work; the series hold seconds for all entries."""

    name: str
    entries: int
    aim: int
    naive: Series
    product: Series

    @property
    def times(self) -> float:
        """How many times as fast as the naive client the product is."""
        return self.naive.median / self.product.median

    def rows(self) -> list[list[str]]:
        """Rows of the table."""
        return [
            [
                f"{self.name}, {series.name}",
                str(self.entries),
                f"{self.entries / series.median:.0f}",
                f"{series.worst:.1f}",
                f"{self.naive.median / series.median:.1f}",
            ]
            for series in (self.naive, self.product)
        ]


def measure_booking(folder: Path) -> bool:
    """Run the comparisons, print their table, and tell whether every aim was met."""
    fava = _comparison("Fava", FAVA_ENTRIES, FAVA_AIM)
    drafts = _comparison("Tryton, drafts", TRYTON_ENTRIES, TRYTON_AIM)
    posted = _comparison("Tryton, posted", POSTED_ENTRIES, TRYTON_AIM)
    comparisons = [fava, drafts, posted]
    with tryton_books(folder / "tryton") as books:
        for number in range(ROUNDS):
            for each, posting in ((drafts, Posting.DRAFT), (posted, Posting.FINAL)):
                entries = _entries(each.entries, EXPENSE, WALLET, posting)
                with books.copy() as database:
                    each.naive.seconds.append(_naive_tryton(books, database, entries))
                with books.copy() as database:
                    each.product.seconds.append(_product_tryton(books, database, entries))
            with _ledger(folder / f"naive-{number}.beancount") as url:
                fava.naive.seconds.append(_naive_fava(url))
            with _ledger(folder / f"product-{number}.beancount") as url:
                system = FavaSystem(_fava_settings(url), accounts=BookingAccounts(), deadline=_DEADLINE)
                fava.product.seconds.append(_booked_in(system, _fava_entries()))
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
    print_table(
        f"Entries booked without receipts: medians of {ROUNDS} interleaved rounds, fresh books in each",
        ["run", "entries", "entries/s", "worst s", "times naive"],
        [row for comparison in comparisons for row in comparison.rows()],
    )
    for each in comparisons:
        print(f"{verdict(each.times >= each.aim)}: {each.name}: at least {each.aim} times naive")
    return measure_memory(folder) and all(each.times >= each.aim for each in comparisons)


def _comparison(name: str, entries: int, aim: int) -> _Comparison:
    return _Comparison(name, entries, aim, Series("one by one"), Series("product"))


def _entries(number: int, expense: str, wallet: str, posting: Posting) -> list[Entry]:
    """Make entries of three lines, dated one after the other in the present year up to now."""
    today = dt.datetime.now(dt.UTC).date()
    return [
        Entry(
            reference=uuid.uuid4(),
            date=today - dt.timedelta(days=n % today.timetuple().tm_yday),
            currency="EUR",
            payee="Bürobedarf Lindner",
            description="Paper and toner",
            lines=(
                EntryLine(expense, 1000 + n, "Office"),
                EntryLine(expense, 250, "Office", tax_code="V25"),
                EntryLine(wallet, -1250 - n),
            ),
            posting=posting,
            details={"reconciliation-id": str(20_000 + n)},
        )
        for n in range(number)
    ]


def _fava_entries() -> list[Entry]:
    return _entries(FAVA_ENTRIES, "Expenses:Travel", "Assets:Pleo", Posting.FINAL)


def _booked_in(system: AccountingSystem, entries: list[Entry]) -> float:
    """Book in batches of the size that the system takes, and give the seconds; every entry must be booked."""

    async def book() -> float:
        size = system.capabilities.batch_size
        begun = time.perf_counter()
        try:
            for start in range(0, len(entries), size):
                results = await system.book(entries[start : start + size])
                if not all(isinstance(result, Booked) for result in results):
                    raise RuntimeError("an entry was not booked")
            return time.perf_counter() - begun
        finally:
            await system.aclose()

    return asyncio.run(book())


@contextmanager
def _ledger(file: Path) -> Iterator[str]:
    file.write_text(_LEDGER, encoding="utf-8")
    with fava_ledger(file) as address:
        yield f"{address}/bench"


def _fava_settings(url: str) -> FavaSettings:
    return FavaSettings(system="fava", url=url)


def _naive_fava(url: str) -> float:
    """Store entries one by one in samples, and give the seconds that all would take; see the module."""
    entries = iter(_fava_entries())
    fifth = FAVA_ENTRIES // _FIFTHS
    before = (fifth - _SAMPLE) // 2
    seconds = 0.0
    with httpx.Client(timeout=_DEADLINE) as http:

        def store(number: int) -> None:
            batch = [as_transaction(next(entries)) for _ in range(number)]
            http.put(f"{url}/api/add_entries", json={"entries": batch}).raise_for_status()

        for _ in range(_FIFTHS):
            store(before)
            store(1)  # has Fava read what was filled in
            begun = time.perf_counter()
            for _ in range(_SAMPLE):
                store(1)
            seconds += (time.perf_counter() - begun) / _SAMPLE * fifth
            store(fifth - before - _SAMPLE - 1)
    return seconds


def _product_tryton(books: TrytonBooks, database: str, entries: list[Entry]) -> float:
    settings = TrytonSettings.model_validate(
        {
            "system": "tryton",
            "url": books.url,
            "database": database,
            "application_key": books.key,
            "journal": JOURNAL,
        }
    )
    _booked_in(TrytonSystem(settings, accounts=BookingAccounts(), deadline=_DEADLINE), _warm_up(entries))
    return _booked_in(TrytonSystem(settings, accounts=BookingAccounts(), deadline=_DEADLINE), entries)


def _warm_up(entries: list[Entry]) -> list[Entry]:
    """Give entries that either client books before the clock starts, in a database that is new to Tryton.

    Tryton then has loaded the database and filled its caches: that is not what is measured.
    """
    return _entries(_WARM_UP, EXPENSE, WALLET, entries[0].posting)


def _naive_tryton(books: TrytonBooks, database: str, entries: list[Entry]) -> float:
    """Create each entry, and post it where it is to be posted."""
    ground = books.ground(database)
    signed = {"authorization": f"Bearer {books.key}"}
    base = f"{books.url}/{database}/rest/model/account.move"
    with httpx.Client(headers=signed, timeout=_DEADLINE) as http:

        def book(entry: Entry) -> None:
            answer = http.post(base, params={"f": "id"}, json=ground.values(entry)).raise_for_status()
            if entry.posting is Posting.FINAL:
                move = answer.json()["id"]
                http.post(f"{base}/{move}/post", params={"f": "number"}, json={}).raise_for_status()

        for entry in _warm_up(entries):
            book(entry)
        begun = time.perf_counter()
        for entry in entries:
            book(entry)
        return time.perf_counter() - begun
