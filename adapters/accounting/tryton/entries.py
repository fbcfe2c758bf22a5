"""An entry in Tryton's terms, and how it is found again.

Tryton has no field for the number that another program gave an entry, and its `origin` can only point at
records of its own. So the reference stands at the beginning of the entry's description, where nothing that
comes from Pleo's users can stand: `pleo:<reference> Cafe: Lunch`. What is to be booked for good has
`pleo:<reference>/final` there: a draft that says so is not finished, and the next attempt posts it. What
rebooks another entry on purpose begins with `pleo:again:<reference of that one>:<its own reference>`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from adapters.accounting.booking import Entry, EntryLine, Posting
from adapters.accounting.tryton.client import Domain, TrytonClient
from adapters.accounting.tryton.ground import Ground
from adapters.accounting.tryton.records import Company, Move
from adapters.texts import plain

_TEXT_LIMIT = 1000
"""Characters of a description; Tryton itself sets no limit."""

_FINAL = "/final"
_BEGIN = "pleo:"
_REBOOKING = f"{_BEGIN}again:"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MARK = re.compile(
    rf"{_BEGIN}(?:again:(?P<rebooks>{_UUID}):)?(?P<reference>{_UUID})(?P<final>{_FINAL})?(?: |$)"
)


def is_unfinished(move: Move) -> bool:
    """Whether it is a draft that was to be booked for good."""
    match = _MARK.match(move.description or "")
    return not move.posted and match is not None and match["final"] is not None


async def look_up(client: TrytonClient, company: Company, references: Collection[UUID]) -> dict[UUID, Move]:
    """Find the company's entries with these references, in whichever journal they are by now.

    Tryton copies the description of an entry that a person copies or cancels: the first one is ours. One
    that rebooks an entry is found for it where there is no other. All of those are read, as they are few.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.

    """
    if not references:
        return {}
    beginnings = [*(f"{_BEGIN}{reference}" for reference in references), _REBOOKING]
    marks = [["description", "like", f"{beginning}%"] for beginning in beginnings]
    domain: Domain = [["company", "=", company.id], ["OR", *marks]]
    own: dict[UUID, Move] = {}
    rebooking: dict[UUID, Move] = {}
    for move in sorted(await client.select("account.move", domain, Move), key=lambda move: -move.id):
        if match := _MARK.match(move.description or ""):
            own[UUID(match["reference"])] = move
            if match["rebooks"]:
                rebooking[UUID(match["rebooks"])] = move
    found = rebooking | own
    return {reference: found[reference] for reference in references if reference in found}


def values_of(entry: Entry, ground: Ground) -> dict[str, Any]:
    """Give the values of Tryton's fields for an entry without flaws."""
    period = ground.period_of(entry.date)
    if ground.journal is None or period is None:
        raise ValueError("the entry has a flaw")
    return {
        "company": ground.company.id,
        "journal": ground.journal.id,
        "period": period.id,
        "date": {
            "__class__": "date",
            "year": entry.date.year,
            "month": entry.date.month,
            "day": entry.date.day,
        },
        "description": _description(entry),
        "lines": [["create", [_line(line, ground) for line in entry.lines]]],
    }


def _description(entry: Entry) -> str:
    begin = f"{_REBOOKING}{entry.rebooks}:" if entry.rebooks else _BEGIN
    mark = f"{begin}{entry.reference}{_FINAL if entry.posting is Posting.FINAL else ''}"
    text = ": ".join(part for part in (plain(entry.payee), plain(entry.description, _TEXT_LIMIT)) if part)
    details = _bracketed(entry.details.items())
    return " ".join(part for part in (mark, text, details) if part)


def _line(line: EntryLine, ground: Ground) -> dict[str, Any]:
    facts = [(tag.group, tag.code) for tag in line.tags]
    if line.tax_code is not None:
        facts.append(("tax", line.tax_code))
    text = f"{plain(line.description, _TEXT_LIMIT)} {_bracketed(facts)}".strip()
    side, other = ("debit", "credit") if line.amount > 0 else ("credit", "debit")
    return {
        "account": ground.account_of(line.account).id,
        side: _money(abs(line.amount)),
        other: _money(0),
        "description": text,
    }


def _bracketed(facts: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"[{plain(name)}: {plain(value)}]" for name, value in facts)


def _money(hundredths: int) -> Mapping[str, str]:
    return {"__class__": "Decimal", "decimal": f"{hundredths // 100}.{hundredths % 100:02d}"}
