"""The items table: one row an item with what became of it, for artifacts, the terminal and `plan`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from adapters.accounting.booking import Booked, Refused
from adapters.texts import plain
from flows.lines import Line

_TEXT = 60
"""Characters of a description in the table."""

_CODE = 8
"""Characters of a currency's code, which has three where it is one."""

_ACCOUNTS = 200
"""Characters of all accounts of one side."""

_LINK = 2048
"""Characters of a link; Pleo takes as many."""


def item_rows(lines: Sequence[Line]) -> list[dict[str, str]]:
    """Give the rows: date, description, amount, accounts, result, link or reason."""
    return [_row(line) for line in lines]


def _row(line: Line) -> dict[str, str]:
    entry, result = line.entry, line.result
    date, amount, accounts, description = "", "", "", ""
    if line.item:
        date = f"{line.item.date:%Y-%m-%d}"
        money = line.item.amount.in_wallet_currency
        amount = f"{Decimal(money.value) / 100:.2f} {plain(money.currency, _CODE)}"
    if entry:
        date, description = entry.date.isoformat(), plain(entry.description, _TEXT)
        debits = [each.account for each in entry.lines if each.amount > 0]
        credits_ = [each.account for each in entry.lines if each.amount < 0]
        accounts = f"{_listed(debits)} / {_listed(credits_)}"
    return {
        "item": str(line.reference),
        "date": date,
        "amount": amount,
        "debit / credit": accounts,
        "description": description,
        "result": _result(line),
        "entry or reason": _entry_or_reason(result),
        "warning": " ".join(_warnings(line)),
    }


def _listed(accounts: Sequence[str]) -> str:
    return plain(", ".join(dict.fromkeys(accounts)), _ACCOUNTS)


def _result(line: Line) -> str:
    if isinstance(line.result, Refused):
        return "failed"
    if line.earlier:
        return "booked before"
    return ("booked" if line.result else "to be booked") + (" again" if line.first else "")


def _warnings(line: Line) -> Iterator[str]:
    if line.first and not isinstance(line.result, Refused):
        yield f"A second entry, as rebook asks; the first one, {line.first.external_id}, stays."
    for warning in line.warnings:
        yield warning.told_to_pleo().text


def _entry_or_reason(result: Booked | Refused | None) -> str:
    if isinstance(result, Booked):
        return plain(result.external_url or result.external_id, _LINK)
    return result.failure.told_to_pleo().text if isinstance(result, Refused) else ""
