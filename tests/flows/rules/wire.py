"""Export items as Pleo sends them, as JSON that is then read like an answer."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from adapters.accounting.booking import Entry, Refused
from adapters.accounting.contract import BookingAccounts
from adapters.accounting.item_failures import ItemFailureKind
from adapters.pleo.export_items import ExportItem
from flows.rules.mapping import MappingSettings, entry_of

ID = "1b0f3a52-30c4-4d3e-8f0a-6b0f6ad2c901"
ITEM = TypeAdapter(ExportItem)
ACCOUNTS = BookingAccounts(
    wallet="Assets:Wallet",
    out_of_pocket="Liabilities:Employees",
    contra="Assets:Bank",
    fallback_payables="Liabilities:Payables",
)
ALL_SET = MappingSettings(ACCOUNTS)


def pair(wallet: Any, supplier: Any = None, currencies: tuple[str, str] = ("EUR", "EUR")) -> dict[str, Any]:
    """An amount in the wallet's currency, and the supplier's if it differs, named in this order."""
    return {
        "inWalletCurrency": {"currency": currencies[0], "value": wallet},
        "inSupplierCurrency": {
            "currency": currencies[1],
            "value": wallet if supplier is None else supplier,
        },
    }


def account(code: str | None = "Expenses:Travel", **more: Any) -> dict[str, Any]:
    return {"id": ID, "name": "Travel", "code": code, **more}


def tax(amount: int, **more: Any) -> dict[str, Any]:
    return {"id": ID, "rate": 0.25, "type": "inclusive", "code": "V25", "amount": pair(amount), **more}


def line(gross: Any = 1250, **more: Any) -> dict[str, Any]:
    """One line; its net is the gross less the tax unless it is given."""
    taxed = more.get("tax") or {"amount": pair(0)}
    net = gross - taxed["amount"]["inWalletCurrency"]["value"]
    return {
        "accountingEntryLineId": ID,
        "lineAmount": pair(gross),
        "netAmount": pair(net),
        "account": account(),
        **more,
    }


def item_json(kind: str = "card_purchase", *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = list(lines) or [line()]
    total = sum(each["lineAmount"]["inWalletCurrency"]["value"] for each in parts)
    return {
        "accountingEntryId": ID,
        "companyId": ID,
        "type": kind,
        "date": "2026-03-14T10:30:00Z",
        "amount": pair(total),
        "accountingEntryLines": parts,
        "additionalInformation": {"reconciliationId": "20001"},
        "supplier": {"name": "NORDRAIL AB"},
        "user": {"id": ID, "name": "Ida Holm", "code": "114"},
        "note": "Train to the client",
        **more,
    }


def item(kind: str = "card_purchase", *lines: dict[str, Any], **more: Any) -> ExportItem:
    return read(item_json(kind, *lines, **more))


def read(sent: dict[str, Any]) -> ExportItem:
    return ITEM.validate_json(json.dumps(sent))


def booked(given: ExportItem, settings: MappingSettings = ALL_SET) -> Entry:
    entry = entry_of(given, settings)
    assert isinstance(entry, Entry), entry
    return entry


def refused(given: ExportItem, settings: MappingSettings = ALL_SET) -> tuple[ItemFailureKind, str]:
    """Kind of the refusal and what Pleo's user reads."""
    refusal = entry_of(given, settings)
    assert isinstance(refusal, Refused), refusal
    assert refusal.reference == given.accounting_entry_id
    return refusal.failure.kind, refusal.failure.told_to_pleo().text


def postings(entry: Entry) -> list[tuple[str, int]]:
    return [(each.account, each.amount) for each in entry.lines]
