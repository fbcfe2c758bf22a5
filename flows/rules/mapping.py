"""From an export item and the configuration to an entry that balances, or to the reason why not.

The steps are those of L67 that need no accounting system: method, accounts, data, posting behaviour.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from adapters.accounting.booking import Entry, EntryLine, Posting, Refused, Tag
from adapters.accounting.contract import BookingAccounts, Capabilities
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.connection import ExportConnection
from adapters.pleo.export_items import ExportItem, ExportItemLine, Tax
from adapters.texts import plain
from flows.rules.amounts import LineAmounts, amounts_of
from flows.rules.counter_accounts import (
    ALWAYS_JOURNAL,
    Treatment,
    code_of,
    counter_account,
    treatment_of,
)
from flows.rules.refusal import NotBookable
from flows.rules.wording import description_of, details_of, payee_of

logger = logging.getLogger(__name__)

_JOURNAL_METHODS = frozenset({"none", "journal"})
_PAYABLES_METHOD = "accounts_payable"


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """What the mapping takes from the connection and the accounting system.

    Attributes:
        accounts: counter accounts by role.
        posting: whether entries are drafts or final (L85).
        accounts_payable: whether the system books invoices and payments of vendors (L69).

    """

    accounts: BookingAccounts = field(default_factory=BookingAccounts)
    posting: Posting = Posting.DRAFT
    accounts_payable: bool = False

    @classmethod
    def of(cls, connection: ExportConnection, capabilities: Capabilities) -> Self:
        """Take them from a connection and what its system can do."""
        return cls(connection.accounts, connection.posting, capabilities.accounts_payable)


def entries_of(items: Iterable[ExportItem], settings: MappingSettings) -> Iterator[Entry | Refused]:
    """Map items one by one, in their order; one result an item, whatever is in it (L68)."""
    for item in items:
        try:
            yield entry_of(item, settings)
        except Exception as error:  # noqa: BLE001 - a defect of ours fails one item, not the job
            logger.error(
                "Mapping %s ended with an unforeseen %s", item.accounting_entry_id, type(error).__name__
            )
            yield Refused(item.accounting_entry_id, ItemFailure(ItemFailureKind.UNEXPECTED))


def entry_of(item: ExportItem, settings: MappingSettings) -> Entry | Refused:
    """Map one item to its entry, or say why it is not booked.

    Raises:
        OverflowError: the date lies outside of the calendar, which `entries_of` takes for unforeseen.

    """
    try:
        _check_method(item, settings)
        treatment = treatment_of(item)
        accounts = _expense_accounts(item)
        counter = counter_account(item, treatment.role, settings.accounts)
        total, amounts = amounts_of(item)
        sign = _booked_sign(item, treatment, total)
    except NotBookable as refusal:
        return Refused(item.accounting_entry_id, refusal.failure)
    lines = [
        booked
        for line, account, of_line in zip(item.accounting_entry_lines, accounts, amounts, strict=True)
        for booked in _booked_lines(line, account, of_line, sign)
    ]
    return Entry(
        reference=item.accounting_entry_id,
        date=posting_day(item),
        currency=item.amount.in_wallet_currency.currency,
        payee=payee_of(item),
        description=description_of(item),
        lines=(*lines, EntryLine(counter, -sign * total)),
        posting=settings.posting,
        details=details_of(item),
    )


def posting_day(item: ExportItem) -> dt.date:
    """Give the calendar day of `date` in UTC (U34); the service period has no say in it (L84)."""
    moment = item.date
    return (moment.astimezone(dt.UTC) if moment.tzinfo else moment).date()


def _check_method(item: ExportItem, settings: MappingSettings) -> None:
    """Accept journal entries (L69-L71), and payables where the system has them and the vendor is given.

    Invoice and payment of a vendor leave the same balances on expense and counter account as the journal
    entry; which vendor it is, a system that has vendors finds in the entry's details.
    """
    method = item.bookkeeping.method if item.bookkeeping else "none"
    if item.type in ALWAYS_JOURNAL or method in _JOURNAL_METHODS:
        return
    if method != _PAYABLES_METHOD or not settings.accounts_payable:
        raise NotBookable(ItemFailureKind.METHOD_UNSUPPORTED, name=method)
    if "vendor-code" not in details_of(item):
        raise NotBookable(ItemFailureKind.VENDOR_UNKNOWN)


def _expense_accounts(item: ExportItem) -> list[str]:
    """Give the account of every line, those without an amount too (L64, L65)."""
    accounts = [code_of(line.account) for line in item.accounting_entry_lines]
    if "" in accounts:
        number = accounts.index("")
        line = item.accounting_entry_lines[number]
        place = f"line {number + 1}" if len(accounts) > 1 else "the expense"
        # A category that has no account yet is known by its name; else only its place can be told.
        name = plain(line.account.name if line.account else "") or f"of {place}'s category"
        raise NotBookable(ItemFailureKind.EXPENSE_ACCOUNT_MISSING, name=name)
    return accounts


def _booked_sign(item: ExportItem, treatment: Treatment, total: int) -> int:
    """Give the factor from Pleo's amounts to those on the expense accounts.

    Type and subType give the direction, and a negative amount never turns it round: it is the same amount
    written otherwise, or a contradiction (U30). Lines of a split keep their signs relative to the total.
    """
    if total > 0:
        return treatment.direction
    if treatment.either_sign:
        return -treatment.direction
    raise NotBookable(ItemFailureKind.SIGN_CONTRADICTS_TYPE, name=item.type)


def _booked_lines(line: ExportItemLine, account: str, amounts: LineAmounts, sign: int) -> Iterator[EntryLine]:
    """Book the net and the tax apart where Pleo names an account for the tax, else the gross in one.

    Tags are dimensions of the expense, so the tax line has none. The code goes with the line that holds
    the tax.
    """
    name = plain(line.account.name if line.account else "")
    code = ((line.tax.code or "").strip() or None) if line.tax else None
    tags = tuple(Tag(tag.group_code, tag.code) for tag in line.tags)
    tax_account = _tax_account(line.tax) if amounts.tax else ""
    on_tax_account = amounts.tax if tax_account else 0
    if on_expense := amounts.gross - on_tax_account:
        yield EntryLine(account, sign * on_expense, name, tags, None if tax_account else code)
    if on_tax_account:
        yield EntryLine(tax_account, sign * on_tax_account, name, tax_code=code)


def _tax_account(tax: Tax | None) -> str:
    """Give the account of input tax, for money that comes back too: a refund takes back what was deducted."""
    return ((tax.ingoing_tax_account if tax else None) or "").strip()
