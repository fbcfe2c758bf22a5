"""A thousand items of all kinds, with receipts, through the real flow into real accounting systems.

What the books say afterwards is compared with sums that are made here from Pleo's own JSON, by a few lines
that share nothing with the product.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.tryton_books import BookKeeper, Interface
from flows.export_job import export_job
from tests.support.fava_server import FavaServer
from tests.support.kept_folder import kept_folder
from tests.support.tryton_server import ACCOUNT, JOURNAL, OTHER_ACCOUNT, TrytonServer, tryton_server

ITEMS, SEED = 1000, 20_251
KINDS = {
    "card_purchase": 58,
    "out_of_pocket": 10,
    "refund": 8,
    "mileage": 4,
    "per_diem": 3,
    "wallet_topup": 3,
    "wallet_unload": 2,
    "fee": 3,
    "card_invoice": 3,
    "atm_withdrawal": 2,
    "cashback": 2,
    "chargeback": 2,
}
MONEY_COMES_IN = {"refund", "chargeback", "cashback", "wallet_topup"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2 * 300, func_only=True),  # two exports
    pytest.mark.usefixtures("prefect_api"),
]

Sums = dict[str, int]
"""Hundredths by account; accounts whose sum is 0 are left out."""


@dataclass(frozen=True)
class Accounts:
    """Accounts of one accounting system, as its users write them."""

    expenses: tuple[str, ...]
    wallet: str
    out_of_pocket: str


class Books(Protocol):
    """What a test asks of one accounting system, past the product."""

    accounts: Accounts
    settings: dict[str, str]

    @property
    def url(self) -> str: ...

    def balances(self) -> Sums: ...

    def references(self) -> list[str]:
        """Pleo's ids in the books, as often as they stand there."""

    def documents(self) -> int: ...


FAVA_ACCOUNTS = Accounts(("Expenses:Travel", "Expenses:Meals"), "Assets:Pleo:Wallet", "Liabilities:Employees")


class FavaBooks:
    """A ledger file and the Fava that serves it."""

    accounts = FAVA_ACCOUNTS
    settings: dict[str, str]

    def __init__(self, server: FavaServer) -> None:
        self.settings = {}
        self._server = server

    @property
    def url(self) -> str:
        return self._server.url

    def balances(self) -> Sums:
        assert self._server.ask("errors") == []
        sums = {}
        for account, position in self._ask("select account, sum(position) group by account"):
            assert set(position) <= {"EUR"}
            sums[account] = _hundredths(str(position.get("EUR", 0)))
        return _without_zeros(sums)

    def references(self) -> list[str]:
        rows = self._ask("select links from #entries")
        return [link.removeprefix("pleo-") for (links,) in rows for link in links or ()]

    def documents(self) -> int:
        """Files that Fava keeps; an entry names each of them."""
        files = [path for path in (self._server.ledger.parent / "documents").rglob("*") if path.is_file()]
        named = re.findall(r'^ +document(?:-\d+)?: "(.+)"$', self._server.ledger.read_text(), re.MULTILINE)
        assert sorted(Path(name).name for name in named) == sorted(path.name for path in files)
        return len(files)

    def _ask(self, bql: str) -> list[list[Any]]:
        table = self._server.ask(f"query?query_string={urllib.parse.quote(bql)}")
        return list(table["rows"])


class TrytonBooks:
    """A copy of the books of one company, and the administrator's view of it."""

    accounts = Accounts((OTHER_ACCOUNT, "5.1.2"), ACCOUNT, "2.1.9")

    def __init__(self, server: TrytonServer, database: str) -> None:
        self.url = server.url
        self.settings = {
            "ACCOUNTING__SYSTEM": "tryton",
            "ACCOUNTING__DATABASE": database,
            "ACCOUNTING__APPLICATION_KEY": server.books.keys["clerk"],
            "ACCOUNTING__JOURNAL": JOURNAL,
        }
        self._admin = Interface(server.url, database)
        self._admin.context["company"] = server.books.company
        keeper = BookKeeper(self._admin)
        keeper.open_account(server.books.company, "5.1.2", "Meals", like=OTHER_ACCOUNT)
        keeper.open_account(server.books.company, "2.1.9", "Owed to employees", like=ACCOUNT)

    def balances(self) -> Sums:
        sums: Counter[str] = Counter()
        for line in self._read("account.move.line", ["account.code", "debit", "credit", "state"]):
            assert line["state"] == "valid"
            sums[line["account."]["code"]] += _hundredths(line["debit"]["decimal"])
            sums[line["account."]["code"]] -= _hundredths(line["credit"]["decimal"])
        return _without_zeros(sums)

    def references(self) -> list[str]:
        moves = self._read("account.move", ["description", "state"])
        assert {move["state"] for move in moves} == {"posted"}
        return [re.findall(r"^pleo:([0-9a-f-]{36})", move["description"])[0] for move in moves]

    def documents(self) -> int:
        attached = self._read("ir.attachment", ["resource", "data_size"])
        assert all(file["data_size"] for file in attached)
        return len(attached)

    def _read(self, model: str, names: list[str]) -> list[dict[str, Any]]:
        return list(self._admin.call(f"model.{model}.search_read", [], 0, None, None, names))


@pytest.fixture
def fava_books(tmp_path: Path) -> Iterator[FavaBooks]:
    ledger = tmp_path / "ledger" / "books.beancount"
    ledger.parent.mkdir()
    accounts = FAVA_ACCOUNTS
    opened = [*accounts.expenses, accounts.wallet, accounts.out_of_pocket]
    options = {"title": "Books of Example", "operating_currency": "EUR", "documents": "documents"}
    lines = [f'option "{name}" "{value}"' for name, value in options.items()]
    ledger.write_text("\n".join([*lines, *(f"2020-01-01 open {account}" for account in opened), ""]))
    with FavaServer(ledger) as server:
        yield FavaBooks(server)


@pytest.fixture
def tryton_books(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrytonBooks]:
    kept = kept_folder(pytestconfig, tmp_path_factory, "tryton")
    with tryton_server(kept) as server, server.copy() as database:
        yield TrytonBooks(server, database)


@pytest.mark.parametrize("system", ["fava", "tryton"])
async def test_the_books_hold_a_thousand_items_to_the_cent_and_once(
    system: str, request: pytest.FixtureRequest, pleo: EmbeddedPleo, connect: Callable[..., None]
) -> None:
    books: Books = request.getfixturevalue(f"{system}_books")
    connect(
        books.url,
        **books.settings,
        ACCOUNTS__OUT_OF_POCKET=books.accounts.out_of_pocket,
        POSTING="final",
        PLEO__CALL_DEADLINE_SECONDS="30",
        PLEO__RETRY_SECONDS="60",
        VALIDATION_DEADLINE_SECONDS="60",
    )
    job_id = make_job(pleo, books.accounts)
    wire = export_items(pleo, job_id)
    entries = sorted(item["accountingEntryId"] for item in wire)
    with_files = [item for item in wire if item["files"]]
    assert len(set(entries)) == ITEMS
    assert {item["type"] for item in wire} == set(KINDS)
    assert len(with_files) > 250, "there is something to attach"

    state = await export_job(return_state=True)

    assert state.name == "Exported", state.message
    assert successful(pleo, job_id) == entries
    sums = expected_sums(wire, books.accounts)
    files = sum(len(item["files"]) for item in wire)
    assert books.balances() == sums
    assert sorted(books.references()) == entries
    assert books.documents() == files

    again = make_job(pleo, books.accounts)
    assert sorted(item["accountingEntryId"] for item in export_items(pleo, again)) == entries

    state = await export_job(return_state=True)

    assert state.name == "Exported", state.message
    assert successful(pleo, again) == entries
    assert external_ids(pleo, again) == external_ids(pleo, job_id)
    assert books.balances() == sums
    assert sorted(books.references()) == entries
    assert books.documents() == files


def make_job(pleo: EmbeddedPleo, accounts: Accounts) -> str:
    """Make a job; of the same seed, it has the same entries."""
    return pleo.create_job(
        items=ITEMS,
        seed=SEED,
        types=KINDS,
        accounts=list(accounts.expenses),
        contra_account=accounts.wallet,
    )


def expected_sums(wire: list[dict[str, Any]], accounts: Accounts) -> Sums:
    """Add up what each account should have, from what Pleo sent."""
    sums: Counter[str] = Counter()
    for item in wire:
        sign = -1 if item["type"] in MONEY_COMES_IN else 1
        for line in item["accountingEntryLines"]:
            sums[line["account"]["code"]] += sign * line["lineAmount"]["inWalletCurrency"]["value"]
        counter = item["contraAccount"]["code"] if item["contraAccount"] else accounts.out_of_pocket
        sums[counter] -= sign * item["amount"]["inWalletCurrency"]["value"]
    assert sum(sums.values()) == 0
    return _without_zeros(sums)


def export_items(pleo: EmbeddedPleo, job_id: str) -> list[dict[str, Any]]:
    """Every item of a job as Pleo sends it, read page by page without the product's client."""
    key = base64.b64encode(f"{pleo.api_key}:".encode()).decode()
    items: list[dict[str, Any]] = []
    query = {"job_id": job_id, "limit": "100"}
    while True:
        url = f"{pleo.base_url}/v3/export-items?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"authorization": f"Basic {key}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
        items += page["data"]
        if not page["pagination"]["hasNextPage"]:
            return items
        query["after"] = page["pagination"]["endCursor"]


def successful(pleo: EmbeddedPleo, job_id: str) -> list[str]:
    items = pleo.job(job_id)["items"]
    return sorted(item["accountingEntryId"] for item in items if item["status"] == "successful")


def external_ids(pleo: EmbeddedPleo, job_id: str) -> dict[str, str]:
    return {item["accountingEntryId"]: item["externalId"] for item in pleo.job(job_id)["items"]}


def _hundredths(amount: str) -> int:
    hundredths = Decimal(amount) * 100
    assert hundredths == int(hundredths)
    return int(hundredths)


def _without_zeros(sums: Sums) -> Sums:
    return {account: amount for account, amount in sums.items() if amount}
