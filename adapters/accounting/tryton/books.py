"""Proves that the books have what the configuration names, and a period that is open for entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.tryton.client import TrytonClient
from adapters.accounting.tryton.records import Account, Company, Journal, JournalPeriod, Period


async def find_journal(client: TrytonClient, code: str) -> Journal:
    """Give the one active journal with this code; journals are shared by all companies of a database.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.
        CheckFailed: `CONFIGURATION_MISSING`, if there is none or several.

    """
    found = await client.search("account.journal", [["code", "=", code]], Journal)
    if len(found) != 1:
        evidence = f"{len(found)} active journals have the code {code}"
        raise CheckFailed(FailureKind.CONFIGURATION_MISSING, evidence=evidence, missing=f"journal {code}")
    return found[0]


async def prove_accounts(client: TrytonClient, company: Company, codes: Sequence[str]) -> None:
    """Prove that each code is one of an account of the company that takes entries.

    Tryton does not show an account before the first and after the last day of its use.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.
        CheckFailed: `CONFIGURATION_MISSING`, naming all those that do not, with the reasons as evidence.

    """
    if not codes:
        return
    domain = [["company", "=", company.id], ["code", "in", list(codes)]]
    accounts = await client.search("account.account", domain, Account)
    flaws: dict[str, str] = {}
    for code in codes:
        reasons = [account.flaw for account in accounts if account.code == code]
        if None not in reasons:
            flaws[code] = reasons[0] if reasons and reasons[0] else "is not an account in use"
    if flaws:
        raise CheckFailed(
            FailureKind.CONFIGURATION_MISSING,
            evidence="; ".join(f"{code} {flaw}" for code, flaw in flaws.items()),
            missing=f"{'account' if len(flaws) == 1 else 'accounts'} {', '.join(flaws)}",
        )


async def find_open_periods(client: TrytonClient, company: Company, journal: Journal) -> list[Period]:
    """Give the standard periods of the company in which the journal takes entries.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.
        CheckFailed: `NO_OPEN_PERIOD`, if there is none.

    """
    domain = [
        ["company", "=", company.id],
        ["type", "=", "standard"],
        ["state", "=", "open"],
        ["fiscalyear.state", "=", "open"],
    ]
    periods = await client.search("account.period", domain, Period)
    if not periods:
        raise CheckFailed(FailureKind.NO_OPEN_PERIOD, evidence="no open standard period")
    closed = [
        ["journal", "=", journal.id],
        ["state", "=", "closed"],
        ["period", "in", [period.id for period in periods]],
    ]
    shut = {found.period for found in await client.search("account.journal.period", closed, JournalPeriod)}
    left = [period for period in periods if period.id not in shut]
    if not left:
        evidence = f"the journal is closed in each of {len(periods)} open periods"
        raise CheckFailed(FailureKind.NO_OPEN_PERIOD, evidence=evidence)
    return left


def is_within(periods: Sequence[Period], day: dt.date) -> bool:
    """Whether one of these periods covers the day."""
    return any(period.start_date <= day <= period.end_date for period in periods)
