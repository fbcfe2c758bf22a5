"""Says which entries a ledger would not take, before it is asked to: Fava stores anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.accounting.booking import Entry
from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.said import Said, refused
from adapters.accounting.fava.transactions import can_be_written
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.faults import Fault, HttpFault


@dataclass(frozen=True, slots=True)
class _Account:
    opened: dt.date
    closed: dt.date | None
    currencies: frozenset[str]
    """Those that it takes; empty if it takes any."""

    def is_open_on(self, day: dt.date) -> bool:
        """Whether Beancount takes postings; it does so on both days, that of opening and of closing."""
        return self.opened <= day and (self.closed is None or day <= self.closed)


async def examine(client: FavaClient, ledger: str, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
    """Give what is wrong with each entry that the ledger would not take.

    Raises:
        HttpFault, FavaRefusal: see `FavaClient`.

    """
    accounts = await _accounts(client, ledger)
    failures = {}
    for entry in entries:
        failure = _failure_of(entry, accounts)
        if failure is not None:
            failures[entry.reference] = failure
    return failures


async def _accounts(client: FavaClient, ledger: str) -> Mapping[str, _Account]:
    """Read the accounts that were ever opened; Fava tells when in answer to a query alone."""
    currencies = {
        name: frozenset(details.currencies or ())
        for name, details in (await client.ledger_data(ledger)).account_details.items()
    }
    rows = await client.query(ledger, "select account, open.date, close.date from #accounts")
    try:
        return {
            name: _Account(
                dt.date.fromisoformat(opened),
                dt.date.fromisoformat(closed) if closed else None,
                currencies.get(name, frozenset()),
            )
            for name, opened, closed in rows
            if opened
        }
    except (TypeError, ValueError):
        raise HttpFault(Fault.WRONG_SHAPE) from None


def _failure_of(entry: Entry, accounts: Mapping[str, _Account]) -> ItemFailure | None:
    for line in entry.lines:
        account = accounts.get(line.account)
        if account is None or not account.is_open_on(entry.date):
            return ItemFailure(ItemFailureKind.ACCOUNT_UNKNOWN, {"name": line.account})
    if not can_be_written(entry):
        return refused(Said.FORM)
    for line in entry.lines:
        taken = accounts[line.account].currencies
        if taken and entry.currency not in taken:
            return refused(Said.CURRENCY, account=line.account, currency=entry.currency)
    return None
