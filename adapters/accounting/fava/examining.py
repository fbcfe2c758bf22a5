"""Says which entries a ledger would not take, before it is asked to: Fava stores anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from adapters.accounting.booking import Entry
from adapters.accounting.fava.accounts import Account, read_accounts
from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.said import Said, refused
from adapters.accounting.fava.transactions import can_be_written
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind


async def examine(client: FavaClient, ledger: str, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
    """Give what is wrong with each entry that the ledger would not take.

    Raises:
        HttpFault, FavaRefusal: see `FavaClient`.

    """
    accounts = await read_accounts(client, ledger, await client.ledger_data(ledger))
    failures = {}
    for entry in entries:
        failure = _failure_of(entry, accounts)
        if failure is not None:
            failures[entry.reference] = failure
    return failures


def _failure_of(entry: Entry, accounts: Mapping[str, Account]) -> ItemFailure | None:
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
