"""The jobs that runs are killed in, and what the books should hold of them in the end."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from adapters.pleo.sandbox.receipts import MEDIA_TYPES, link, receipt
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.recovery.books import Books, digest

Fields = dict[str, Any]


@dataclass(frozen=True)
class Expense:
    """One item: its id, its receipts by id and kind, and whether it can be booked."""

    bookable: bool
    receipts: tuple[tuple[str, str], ...]
    entry: str = field(default_factory=lambda: str(uuid4()))

    @property
    def files(self) -> list[str]:
        """Digests of its receipts."""
        return sorted(digest(receipt(name, kind)) for name, kind in self.receipts)

    def fields(self) -> Fields:
        links = [{"url": link(name, kind), "type": MEDIA_TYPES[kind]} for name, kind in self.receipts]
        return {"accountingEntryId": self.entry, "files": links}


def expense(*kinds: str, bookable: bool = True) -> Expense:
    """Make an item with receipts of these kinds."""
    return Expense(bookable, tuple((str(uuid4()), kind) for kind in kinds))


@dataclass(frozen=True)
class Job:
    """A job in Pleo: its id, its items, and the sums by account that the books should have of each."""

    id: str
    expenses: tuple[Expense, ...]
    sums: Mapping[str, Mapping[str, int]]
    sent: Mapping[str, Fields]

    @property
    def bookable(self) -> list[Expense]:
        return [each for each in self.expenses if each.bookable]


def order(pleo: EmbeddedPleo, books: Books, expenses: Sequence[Expense], **more: Any) -> Job:
    """Have Pleo make a job of card purchases."""
    overrides = {str(n): each.fields() for n, each in enumerate(expenses, start=1)}
    for number, fields in more.pop("overrides", {}).items():
        overrides[number] = {**fields, **overrides[number]}
    job_id = pleo.create_job(
        len(expenses),
        seed=7,
        types={"card_purchase": 1},
        accounts=[books.expense],
        contra_account=books.wallet,
        overrides=overrides,
        without_account=[n for n, each in enumerate(expenses, start=1) if not each.bookable],
        **more,
    )
    sent = _as_pleo_sends(pleo, job_id)
    pleo.clear_requests()
    return Job(job_id, tuple(expenses), {entry: _sums(item, books) for entry, item in sent.items()}, sent)


def order_again(pleo: EmbeddedPleo, books: Books, job: Job, entries: Collection[str]) -> Job:
    """Have Pleo make a job of the same items once more, as for a person who exports them again."""
    chosen = [each for each in job.expenses if each.entry in entries]
    overrides = {str(n): dict(job.sent[each.entry]) for n, each in enumerate(chosen, start=1)}
    return order(pleo, books, chosen, overrides=overrides)


def _sums(item: Fields, books: Books) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for line in item["accountingEntryLines"]:
        code = line["account"]["code"] if line["account"] else "(none)"
        sums[code] += line["lineAmount"]["inWalletCurrency"]["value"]
    sums[books.wallet] -= item["amount"]["inWalletCurrency"]["value"]
    return dict(sums)


def _as_pleo_sends(pleo: EmbeddedPleo, job_id: str) -> dict[str, Fields]:
    """Every item of a small job by its id, read without the product's client."""
    key = base64.b64encode(f"{pleo.api_key}:".encode()).decode()
    url = f"{pleo.base_url}/v3/export-items?job_id={job_id}&limit=100"
    request = urllib.request.Request(url, headers={"authorization": f"Basic {key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return {item["accountingEntryId"]: item for item in json.load(answer)["data"]}
