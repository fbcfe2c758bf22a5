"""Finds the company of Tryton that the connection is for, and proves that the user books in it.

A user of Tryton works for some companies, one of which is the current one. Unless the user's filter says
`all`, Tryton shows and takes records of the current company alone. A person can change which one that is
at any time, so where there are several, the connection must name its company.
"""

from __future__ import annotations

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.tryton.client import Preferences, TrytonClient
from adapters.accounting.tryton.records import Company

_SETTING = "PLEO_EXPORT_ACCOUNTING__COMPANY"


async def find_company(client: TrytonClient, user: Preferences, name: str | None) -> Company:
    """Give the company that is meant.

    Args:
        client: of the database.
        user: whose key it is.
        name: the company's name, if the connection names one.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.
        CheckFailed: `BOOKS_COMPANY_UNKNOWN`, if the user works for no such company or for none;
            `BOOKS_COMPANY_UNNAMED`, if it works for several and none is named;
            `BOOKS_COMPANY_NOT_CURRENT`, if it works for it but Tryton does not let it see it now.

    """
    theirs = await client.search("company.company", [["id", "in", user.companies]], Company)
    meant = [company for company in theirs if name is None or company.rec_name == name]
    if not meant:
        raise CheckFailed(
            FailureKind.BOOKS_COMPANY_UNKNOWN,
            evidence=f"the user works for {len(theirs)} companies",
            company=f"company {name}" if name else "any company",
            setting=_SETTING,
        )
    if len(meant) > 1:
        evidence = f"the user works for {len(meant)} such companies"
        raise CheckFailed(FailureKind.BOOKS_COMPANY_UNNAMED, evidence=evidence, setting=_SETTING)
    (company,) = meant
    if user.company_filter != "all" and user.company != company.id:
        raise CheckFailed(
            FailureKind.BOOKS_COMPANY_NOT_CURRENT,
            evidence="another company is current" if user.company else "no company is current",
            company=f"company {company.rec_name}",
        )
    return company
