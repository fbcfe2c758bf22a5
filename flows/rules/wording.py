"""What an entry says in words: payee, description and details, each one plain line of bounded length."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.pleo.export_items import ExportItem
from adapters.texts import plain
from flows.rules.amounts import has_two_decimals

DESCRIPTION_LIMIT = 200
PAYEE_LIMIT = 120
DETAIL_LIMIT = 255
"""Characters of a detail; Pleo asks for room for 50 of a reference and 100 of attendees (L79)."""

_PART_LIMIT = 80
"""Characters of each name in a description, so that the note after them is not crowded out."""


def payee_of(item: ExportItem) -> str:
    """Give the vendor's name, else the supplier's, else the user's, else nothing (L72)."""
    return _first(PAYEE_LIMIT, _merchant(item), item.user.name if item.user else None)


def description_of(item: ExportItem) -> str:
    """Give merchant, user and note (L79), or the type where Pleo sends none of them."""
    names = [plain(name or "", _PART_LIMIT) for name in (_merchant(item), item.user and item.user.name)]
    said = [part for part in (*names, plain(item.note or "", DESCRIPTION_LIMIT)) if part]
    return plain(", ".join(said) or item.type.replace("_", " "), DESCRIPTION_LIMIT)


def details_of(item: ExportItem) -> dict[str, str]:
    """Give what else is known of the item and not empty, by names of lowercase words (L79)."""
    more = item.additional_information
    vendor, invoice = item.vendor, more.invoice_information
    values = {
        "reconciliation-id": more.reconciliation_id,
        "reconciled-entries": _listed(more.reconciled_entries),
        "type": item.type,
        "sub-type": item.sub_type,
        "user": item.user and item.user.name,
        "user-code": item.user and item.user.code,
        "team": item.team and item.team.name,
        "team-code": item.team and item.team.code,
        "attendees": _listed(more.attendees),
        "vendor": vendor and vendor.name,
        "vendor-code": vendor and (vendor.code or vendor.external_id or vendor.tax_registration_number),
        "invoice-number": invoice and invoice.invoice_number,
        "supplier-amount": _supplier_amount(item),
    }
    lines = {name: plain(value or "", DETAIL_LIMIT) for name, value in values.items()}
    return {name: line for name, line in lines.items() if line}


def _merchant(item: ExportItem) -> str | None:
    if item.vendor:
        return item.vendor.name
    return item.supplier.name if item.supplier else None


def _first(limit: int, *texts: str | None) -> str:
    return next((line for text in texts if (line := plain(text or "", limit))), "")


def _listed(values: Iterable[str | None]) -> str:
    return ", ".join(value for value in values if value)


def _supplier_amount(item: ExportItem) -> str:
    """Write the amount in a foreign currency; not where it is unverified what its hundredths are (U28)."""
    money = item.amount.in_supplier_currency
    foreign = money.currency != item.amount.in_wallet_currency.currency
    if not foreign or not has_two_decimals(money.currency) or money.value != int(money.value):
        return ""
    units, hundredths = divmod(abs(int(money.value)), 100)
    return f"{'-' if money.value < 0 else ''}{units}.{hundredths:02} {money.currency}"
