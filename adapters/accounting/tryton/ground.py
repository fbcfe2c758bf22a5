"""What entries are booked on: company, journal, accounts and open periods, and whether an entry fits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapters.accounting.booking import Entry
from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.accounting.tryton.books import find_journal, find_open_periods
from adapters.accounting.tryton.client import Record, TrytonClient
from adapters.accounting.tryton.company import find_company
from adapters.accounting.tryton.records import (
    Account,
    Company,
    CompanyMoney,
    Currency,
    Journal,
    Period,
)
from adapters.accounting.tryton.refusals import Sentence, refused
from adapters.faults import Fault, HttpFault


@dataclass(frozen=True, slots=True)
class Place:
    """Where entries are booked.

    Attributes:
        company: name of the company, if the user works for several.
        journal: code of the journal.

    """

    company: str | None
    journal: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What entries are booked on, read at one moment.

    Attributes:
        company: that the books are of.
        currency: ISO code of the one that they are kept in.
        journal: None if the one that is configured is not there.
        periods: those in which the journal takes entries; none without a journal.
        accounts: by code, those that were asked for.

    """

    company: Company
    currency: str
    journal: Journal | None
    periods: Sequence[Period]
    accounts: Mapping[str, Sequence[Account]]

    def period_of(self, day: dt.date) -> Period | None:
        """Give the open period that a day falls into."""
        return next((period for period in self.periods if period.start_date <= day <= period.end_date), None)

    def account_of(self, code: str) -> Account:
        """Give the one account with the code that takes entries; there is one if the entry has no flaw."""
        return next(account for account in self.accounts[code] if account.flaw is None)


async def current_company(client: TrytonClient, place: Place) -> Company:
    """Give the company, which Tryton lets the user see and book in right now.

    Raises:
        HttpFault, TrytonRefusal, CheckFailed: see `find_company`.

    """
    return await find_company(client, await client.preferences(), place.company)


async def survey(client: TrytonClient, place: Place, codes: Collection[str] = ()) -> Ground:
    """Read the ground for entries on accounts with these codes.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.
        CheckFailed: the company is not there, or not open to the user.

    """
    company = await current_company(client, place)
    money = await _read(client, "company.company", company.id, CompanyMoney)
    currency = await _read(client, "currency.currency", money.currency, Currency)
    journal, periods = await _open_periods(client, place, company)
    domain = [["company", "=", company.id], ["code", "in", sorted(codes)]]
    accounts: dict[str, list[Account]] = {}
    for account in await client.select("account.account", domain, Account) if codes else ():
        accounts.setdefault(account.code, []).append(account)
    return Ground(company, currency.code, journal, periods, accounts)


async def _read(client: TrytonClient, model: str, record: int, form: type[Record]) -> Record:
    found = await client.select(model, [["id", "=", record]], form)
    if len(found) != 1:
        raise HttpFault(Fault.WRONG_SHAPE, status=200)
    return found[0]


async def _open_periods(
    client: TrytonClient, place: Place, company: Company
) -> tuple[Journal | None, list[Period]]:
    journal = None
    try:
        journal = await find_journal(client, place.journal)
        return journal, await find_open_periods(client, company, journal)
    except CheckFailed as failed:
        if failed.failure.kind not in {FailureKind.CONFIGURATION_MISSING, FailureKind.NO_OPEN_PERIOD}:
            raise
        return journal, []


def flaw_of(entry: Entry, ground: Ground, place: Place) -> ItemFailure | None:
    """Say why Tryton would not take an entry; None if nothing speaks against it."""
    if ground.journal is None:
        return ItemFailure(ItemFailureKind.JOURNAL_NOT_CONFIGURED, {"name": place.journal})
    if entry.currency != ground.currency:
        return refused(Sentence.OTHER_CURRENCY, books=ground.currency, entry=entry.currency)
    for line in entry.lines:
        if flaw := _flaw_of_account(line.account, ground.accounts.get(line.account, ())):
            return flaw
    return ItemFailure(ItemFailureKind.PERIOD_CLOSED) if ground.period_of(entry.date) is None else None


def _flaw_of_account(code: str, accounts: Sequence[Account]) -> ItemFailure | None:
    if not accounts:
        return ItemFailure(ItemFailureKind.ACCOUNT_UNKNOWN, {"name": code})
    flaws = [account.flaw for account in accounts]
    if flaws.count(None) > 1:
        return refused(Sentence.ACCOUNT_TWICE, account=code)
    if None in flaws or flaws[0] is None:
        return None
    return refused(Sentence.ACCOUNT, account=code, flaw=flaws[0].value)


def first_open_day(periods: Iterable[Period], day: dt.date) -> dt.date | None:
    """Give the day, or the first one after it, that lies in one of the periods."""
    return min((max(day, period.start_date) for period in periods if period.end_date >= day), default=None)
