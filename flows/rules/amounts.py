"""The money of an item: whole hundredths of the wallet's currency that add up, and the tax in them.

Only the wallet's currency is booked, so only that one has to have two decimals (U28) and whole hundredths
(U29). The supplier's amounts have to add up as well (U31), whatever their currency.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from adapters.accounting.item_failures import ItemFailureKind
from adapters.pleo.export_items import ExportItem, ExportItemLine, Money, MoneyPair
from flows.rules.refusal import NotBookable

_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_OR_FOUR_DECIMALS = "BHD IQD JOD KWD LYD OMR TND CLF UYW"
_NO_MONEY = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"

WITHOUT_TWO_DECIMALS = frozenset(f"{_NO_DECIMALS} {_THREE_OR_FOUR_DECIMALS} {_NO_MONEY}".split())
"""Currencies of ISO 4217 for which it is not verified what Pleo's hundredths are hundredths of (U28)."""

_CODE = re.compile(r"[A-Z]{3}")
_ROUNDING = 1
"""Hundredths by which a net amount may differ from gross less tax (U32)."""


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """One line in hundredths of the wallet's currency, with the sign that Pleo sent.

    Attributes:
        gross: what is booked in all.
        tax: what of it is tax; 0 where there is none, or where it is not paid with the amount.

    """

    gross: int
    tax: int


def has_two_decimals(currency: str) -> bool:
    """Say whether a value of this currency is surely in hundredths of its unit (L61, U28)."""
    return _CODE.fullmatch(currency) is not None and currency not in WITHOUT_TWO_DECIMALS


def amounts_of(item: ExportItem) -> tuple[int, list[LineAmounts]]:
    """Give the amount of an item and of its lines, which add up to it.

    Raises:
        NotBookable: `CURRENCY_UNVERIFIED`, `FRACTION_OF_A_HUNDREDTH`, `NOT_BALANCED`, `NO_AMOUNT` or
            `TAX_DOES_NOT_ADD_UP`.

    """
    currency = item.amount.in_wallet_currency.currency
    if not has_two_decimals(currency):
        raise NotBookable(ItemFailureKind.CURRENCY_UNVERIFIED, name=currency)
    total = _whole(item.amount.in_wallet_currency)
    if not (_adds_up(item, _in_wallet) and _adds_up(item, _in_supplier)):
        raise NotBookable(ItemFailureKind.NOT_BALANCED)
    lines = [_line(line, currency) for line in item.accounting_entry_lines]
    if total == 0:
        # Lines that cancel out are refused too: without a total nothing tells their direction.
        raise NotBookable(ItemFailureKind.NO_AMOUNT)
    return total, lines


def _line(line: ExportItemLine, currency: str) -> LineAmounts:
    """Take `lineAmount` as the gross, and check the net against gross less tax (U32)."""
    gross = _whole(line.line_amount.in_wallet_currency)
    net = _whole(line.net_amount.in_wallet_currency)
    if line.tax is None:
        tax = 0
    else:
        tax = _whole(line.tax.amount.in_wallet_currency)
        if line.tax.type == "reverse" and abs(gross - net) <= _ROUNDING:
            tax = 0  # Under reverse charge the buyer owes the tax to the state: it is not in the amount.
    money = [line.net_amount, *([line.tax.amount] if line.tax else [])]
    same_currency = all(pair.in_wallet_currency.currency == currency for pair in money)
    within_gross = min(gross, 0) <= tax <= max(gross, 0)
    if not same_currency or not within_gross or abs(gross - tax - net) > _ROUNDING:
        raise NotBookable(ItemFailureKind.TAX_DOES_NOT_ADD_UP)
    return LineAmounts(gross, tax)


def _whole(money: Money) -> int:
    """Give the value as an `int`, which a decimal such as 12.0 is as well (U29)."""
    whole = int(money.value)
    if whole != money.value:
        raise NotBookable(ItemFailureKind.FRACTION_OF_A_HUNDREDTH)
    return whole


def _adds_up(item: ExportItem, side: Callable[[MoneyPair], Money]) -> bool:
    """Compare exactly: a sum of `Decimal` would round at the 28th digit."""
    amount = side(item.amount)
    parts = [side(line.line_amount) for line in item.accounting_entry_lines]
    return sum(Fraction(part.value) for part in parts) == amount.value and all(
        part.currency == amount.currency for part in parts
    )


def _in_wallet(pair: MoneyPair) -> Money:
    return pair.in_wallet_currency


def _in_supplier(pair: MoneyPair) -> Money:
    return pair.in_supplier_currency
