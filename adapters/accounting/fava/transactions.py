"""An entry in Fava's form, in which nothing that a user typed can leave its field.

Payee, narration and values of metadata are quoted by Fava; they are made one line here, since Fava
takes a ledger apart at each character that ends a line. Accounts, currencies, links and the keys of
metadata are written as they are: what does not have their form is refused or made anew.

Tags of lines become metadata of their posting. Beancount's own tags are of whole transactions and hold
few characters, a code in metadata comes back as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from adapters.accounting.booking import Entry, EntryLine, Posting
from adapters.texts import plain

LINK_PREFIX = "pleo-"
_TEXT_LIMIT = 10_000
_LARGEST_AMOUNT = 10**18
"""Hundredths; Beancount counts with 28 digits, and sums need some of them."""

_ACCOUNT = re.compile(r"[^\W\d_a-z](?:[^\W_]|-)*(?::[^\W_a-z](?:[^\W_]|-)*)+")
_CURRENCY = re.compile(r"[A-Z]{3}")
_KEPT_KEYS = frozenset({"filename", "lineno", "pleo-id", "rebooks"})


def link_of(reference: UUID) -> str:
    """Give the link by which the entry is found again."""
    return f"{LINK_PREFIX}{reference}"


def rebooking_link_of(reference: UUID) -> str:
    """Give the link by which an entry that rebooks this one is found."""
    return f"{LINK_PREFIX}again-{reference}"


def can_be_written(entry: Entry) -> bool:
    """Whether what Fava writes unquoted has its form, and the amounts have no more digits than are kept."""
    return (
        bool(_CURRENCY.fullmatch(entry.currency))
        and 1000 <= entry.date.year <= 2999  # other years are no dates to Beancount
        and all(_ACCOUNT.fullmatch(line.account) for line in entry.lines)
        and all(abs(line.amount) < _LARGEST_AMOUNT for line in entry.lines)
    )


def as_transaction(entry: Entry) -> dict[str, Any]:
    """Give what `add_entries` takes.

    Raises:
        ValueError: the entry cannot be written, see `can_be_written`.

    """
    if not can_be_written(entry):
        raise ValueError("an entry that cannot be written")
    links, ids = [link_of(entry.reference)], {"pleo-id": str(entry.reference)}
    if entry.rebooks:
        links.append(rebooking_link_of(entry.rebooks))
        ids["rebooks"] = str(entry.rebooks)
    return {
        "t": "Transaction",
        "date": entry.date.isoformat(),
        "flag": "*" if entry.posting is Posting.FINAL else "!",
        "payee": _text(entry.payee),
        "narration": _text(entry.description),
        "tags": [],
        "links": links,
        "meta": {**ids, **_metadata(entry.details.items())},
        "postings": [
            {
                "account": line.account,
                "amount": amount_text(line.amount, entry.currency),
                "meta": _metadata(_facts_of(line)),
            }
            for line in entry.lines
        ],
    }


def lines_of(entry: Entry) -> int:
    """Give the number of lines that Fava writes for an entry."""
    written = as_transaction(entry)
    return 1 + len(written["meta"]) + sum(1 + len(posting["meta"]) for posting in written["postings"])


def amount_text(hundredths: int, currency: str) -> str:
    """Write an amount, such as `-42.50 EUR`."""
    whole, part = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{part:02} {currency}"


def _facts_of(line: EntryLine) -> Iterable[tuple[str, str]]:
    yield "description", line.description
    yield "tax-code", line.tax_code or ""
    for tag in line.tags:
        yield f"tag-{tag.group}", tag.code


def _metadata(facts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Make keys that Beancount takes and that are all different; leave out what is empty."""
    made: dict[str, str] = {}
    for name, value in facts:
        text = _text(value)
        if not text:
            continue
        key = unique = _key(name)
        number = 2
        while unique in made:
            unique = f"{key}-{number}"
            number += 1
        made[unique] = text
    return made


def _key(name: str) -> str:
    """Turn any name into a key: lowercase letters without accents, digits and hyphens, a letter first.

    Fava gives keys that begin with `document` a meaning, and Beancount some others.
    """
    letters = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60]
    if len(key) < 2 or not key[0].isalpha() or key in _KEPT_KEYS or key.startswith("document"):
        return f"pleo-{key}".rstrip("-") if key else "pleo-detail"
    return key


def _text(text: str) -> str:
    return plain(text, _TEXT_LIMIT)
