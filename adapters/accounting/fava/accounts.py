"""The accounts of a ledger that were ever opened, and what they take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.forms import LedgerData

_EVERY_OPENING = 'booking:""'
"""Of Beancount's directives those that open an account alone have this field."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        opened: first day on which it takes postings.
        closed: last one; None if it is open.
        currencies: those that it takes; empty if it takes any.

    """

    opened: dt.date
    closed: dt.date | None
    currencies: frozenset[str]

    def is_open_on(self, day: dt.date) -> bool:
        """Whether Beancount takes postings; it does so on both days, that of opening and of closing."""
        return self.opened <= day and (self.closed is None or day <= self.closed)


async def read_accounts(client: FavaClient, ledger: str, data: LedgerData) -> Mapping[str, Account]:
    """Read the accounts by name; `data` is the ledger's, which alone tells when they are closed.

    Raises:
        HttpFault, FavaRefusal: see `FavaClient`.

    """
    details = data.account_details
    return {
        entry.account: Account(
            entry.date,
            details[entry.account].close_date if entry.account in details else None,
            frozenset(entry.currencies or ()),
        )
        for entry in await client.journal(ledger, _EVERY_OPENING)
        if entry.t == "Open" and entry.account
    }
