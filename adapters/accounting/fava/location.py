"""Finds the ledger that the configured address leads to, and proves that it is a Fava ledger.

The address may name the ledger (`https://host/books`), a prefix (`fava --prefix`), or neither. Redirects
are read, never followed: a login page must not pass for Fava.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.fava.client import FavaClient, FavaRefusal
from adapters.faults import Fault, HttpFault


def origin_and_path(url: str) -> tuple[str, str]:
    """Split an address into `scheme://host:port` and the path behind it, without a last slash."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


async def find_ledger(client: FavaClient, url: str) -> str:
    """Give the path of the one ledger that the address means, after it answered as Fava does.

    Raises:
        HttpFault: nothing usable answered, or something that is not Fava.
        FavaRefusal: it is Fava, and it cannot read its ledger.
        CheckFailed: `WRONG_ADDRESS`, if the address names no ledger of this Fava or Fava has several
            and the address names none; `STORAGE_MISSING`, if Fava lost the file of the ledger it had.

    """
    origin, path = origin_and_path(url)
    if path:
        try:
            await client.changed(path)
        except HttpFault as fault:
            if fault.status != 404 and fault.fault is not Fault.REDIRECT:
                raise
        else:
            return path
    try:
        ledger = await _first_ledger(client, origin, path)
    except HttpFault as fault:
        if path and fault.status == 404:
            await _refuse_lost_ledger(client, origin, path)
        raise
    if (await client.ledger_data(ledger)).other_ledgers:
        raise CheckFailed(FailureKind.WRONG_ADDRESS, evidence="several ledgers, and the address names none")
    return ledger


async def _first_ledger(client: FavaClient, origin: str, folder: str) -> str:
    """Read from Fava's redirect which ledger is its first, and have that ledger answer."""
    answer = await client.front_page(folder)
    if not 300 <= answer.status < 400:
        answer.expect_success()
        raise HttpFault(Fault.WRONG_SHAPE, status=answer.status)
    ledger = _ledger_in(answer.headers.get("location", ""), origin, folder)
    if ledger is None:
        raise HttpFault(Fault.REDIRECT, status=answer.status)
    try:
        await client.changed(ledger)
    except HttpFault as fault:
        if fault.status == 404:  # it redirects like Fava but has no such ledger: some other server
            raise HttpFault(Fault.REDIRECT, status=answer.status) from None
        raise
    return ledger


def _ledger_in(location: str, origin: str, folder: str) -> str | None:
    """Take `/books` out of `/books/income_statement/`; None if that leads to elsewhere."""
    try:
        target_origin, target = origin_and_path(urljoin(f"{origin}{folder}/", location))
    except ValueError:
        return None
    if target_origin != origin or not target.startswith(f"{folder}/"):
        return None
    slug, slash, _page = target.removeprefix(f"{folder}/").partition("/")
    return f"{folder}/{slug}" if slug and slash else None


async def _refuse_lost_ledger(client: FavaClient, origin: str, path: str) -> None:
    """Raise the more exact `STORAGE_MISSING` if Fava has the ledger no more since its file is gone.

    A ledger's slug is made of its title, and its title stands in its file: where the file is gone, the
    ledger moves to another slug and the configured one answers 404.
    """
    try:
        ledger = await _first_ledger(client, origin, path.rpartition("/")[0])
        data = await client.ledger_data(ledger)
    except (HttpFault, FavaRefusal):
        return
    if not data.is_loaded and not data.other_ledgers:
        raise CheckFailed(FailureKind.STORAGE_MISSING, evidence="Fava could not read its main file")
