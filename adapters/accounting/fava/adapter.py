"""Fava with a Beancount ledger as an accounting system: the three checks and the books."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from adapters.accounting.answers import check_failed, kind_of
from adapters.accounting.booking import Booked, BookingResult, Entry, Receipt, ReceiptRefused, Refused
from adapters.accounting.cautions import Caution, CautionKind
from adapters.accounting.contract import (
    PLEO_ATTACHMENTS,
    BookingAccounts,
    Capabilities,
    CheckFailed,
)
from adapters.accounting.failures import FailureKind
from adapters.accounting.fava.accounts import Account, read_accounts
from adapters.accounting.fava.attaching import attach
from adapters.accounting.fava.booking import Batch
from adapters.accounting.fava.client import FavaClient, FavaRefusal, WriteRefused
from adapters.accounting.fava.examining import examine
from adapters.accounting.fava.forms import LedgerData
from adapters.accounting.fava.location import find_ledger, origin_and_path
from adapters.accounting.fava.lookup import Place, look_up, settle, wait_for_storing
from adapters.accounting.fava.said import of_system
from adapters.accounting.fava.settings import VARIABLE, FavaSettings
from adapters.accounting.fava.write_probe import prove_rewritable
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.faults import Fault, HttpFault

_FIRST_VERSION = "1.30.5"
"""The first Fava that tells the journal as data; tried with 1.30.4 and 1.30.5."""

_BY_REASON: Mapping[str, FailureKind] = {
    "Permission denied": FailureKind.STORAGE_NOT_WRITABLE,
    "Operation not permitted": FailureKind.STORAGE_NOT_WRITABLE,
    "Read-only file system": FailureKind.STORAGE_NOT_WRITABLE,
    "No such file or directory": FailureKind.STORAGE_MISSING,
    "non-source file": FailureKind.STORAGE_MISSING,
    "invalid unicode": FailureKind.UNUSABLE_BOOKS,
}
"""What Fava says when it cannot use its files; measured with 1.30, see the tests."""

_BY_WRITE_STATUS: Mapping[int, FailureKind] = {
    401: FailureKind.READ_ONLY,
    403: FailureKind.CREATION_NOT_ALLOWED,
    405: FailureKind.READ_ONLY,
}


__all__ = ["FavaSettings", "FavaSystem"]


class FavaSystem:
    """A Fava ledger. See `adapters.accounting.contract.AccountingSystem` for what the checks promise.

    Args:
        settings: where it is.
        accounts: accounts that the configuration names; they must be open.
        deadline: seconds for one request.

    """

    Settings = FavaSettings
    title = "Fava"
    capabilities = Capabilities(
        journal_entries=True,
        accounts_payable=False,
        attachments=PLEO_ATTACHMENTS,
        multi_currency=True,
        find_by_reference=True,
        batch_size=1000,
    )

    def __init__(self, settings: FavaSettings, *, accounts: BookingAccounts, deadline: float) -> None:
        self._url = settings.url
        self._accounts = accounts
        user = None
        self._facts = {
            "setting": f"{VARIABLE}URL",
            "storage": "ledger file",
            "credential": "a request without user name and password",
            "user": "the integration",
        }
        if settings.username and settings.password:
            user = settings.username, settings.password.get_secret_value()
            self._facts["credential"] = f"the user name and password of user {settings.username}"
            self._facts["user"] = f"user {settings.username}"
        origin, _path = origin_and_path(settings.url)
        self._client = FavaClient(origin, user=user, deadline=deadline)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def check_reachability(self) -> Sequence[Caution]:
        """Prove that the address leads to one Fava ledger (L43).

        Where something answers that asks for credentials, the address is judged by `check_auth`.
        """
        with self._failures():
            try:
                await find_ledger(self._client, self._url)
            except HttpFault as fault:
                if fault.fault is not Fault.STATUS or fault.status not in {401, 403, 407}:
                    raise
        return ()

    async def check_auth(self) -> Sequence[Caution]:
        """Prove that the credentials are accepted, and that what they open is the ledger (L43)."""
        with self._failures():
            await find_ledger(self._client, self._url)
        return ()

    async def check_writability(self) -> Sequence[Caution]:
        """Prove that Fava would store an entry now, from the gentlest request to the boldest (L43).

        Fava is asked to store no entries, which a read-only server refuses; the configured accounts must
        be open; at last its files are proved writable, see `write_probe` for the trace that leaves.
        """
        with self._failures():
            ledger = await find_ledger(self._client, self._url)
            await self._client.add_entries(ledger, [])
            data = await self._client.ledger_data(ledger)
            if not data.is_loaded:
                raise self._failed(FailureKind.STORAGE_MISSING, "Fava could not read its main file")
            self._refuse_missing_accounts(await self._accounts_of(ledger, data))
            proved = [await prove_rewritable(self._client, ledger, file) for file in data.files_written]
        return tuple(self._cautions(data, proved=all(proved)))

    async def find(self, references: Collection[UUID]) -> Mapping[UUID, Booked]:
        """See `Books`. An entry is found by its link; of two with the same one, the first is told.

        Fava is let finish what it is storing before anything makes it read its files: of a file half
        written it would take neither entries nor title, and the ledger's address is made of its title.
        """
        _origin, path = origin_and_path(self._url)
        with self._failures():
            if path:
                await wait_for_storing(self._client, path)
            ledger = await find_ledger(self._client, self._url)
            await settle(self._client, ledger)
            found = await look_up(self._client, ledger, references)
        return {reference: self._booked(ledger, reference, places) for reference, places in found.items()}

    async def examine(self, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
        """See `Books`."""
        with self._failures():
            ledger = await find_ledger(self._client, self._url)
            return await examine(self._client, ledger, entries)

    async def next_open_day(self, day: dt.date) -> dt.date | None:
        """See `Books`. Beancount has no periods, so every day is open."""
        return day

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        """See `Books`.

        Raises:
            ValueError: more entries than `capabilities.batch_size`.

        """
        if len(entries) > self.capabilities.batch_size:
            raise ValueError("more entries than one batch may have")
        try:
            with self._failures():
                ledger = await find_ledger(self._client, self._url)
            batch = Batch(self._client, ledger, self._failures, partial(self._booked, ledger))
            return await batch.book(entries)
        except CheckFailed as failed:
            return [Refused(entry.reference, of_system(failed.failure.kind)) for entry in entries]

    async def attach(self, booked: Booked, receipt: Receipt) -> None:
        """See `Books`. It needs the ledger's option `documents`."""
        try:
            with self._failures():
                ledger = await find_ledger(self._client, self._url)
                await attach(self._client, ledger, booked.reference, receipt, PLEO_ATTACHMENTS.max_bytes)
        except CheckFailed:
            raise ReceiptRefused(ItemFailure(ItemFailureKind.RECEIPT_NOT_UPLOADED)) from None

    def _booked(
        self, ledger: str, reference: UUID, places: Sequence[Place], at: dt.datetime | None = None
    ) -> Booked:
        """Name an entry as people find it: by its link, typed into the filter of Fava's journal."""
        origin, _path = origin_and_path(self._url)
        link = places[0].link
        return Booked(reference, link, f"{origin}{ledger}/journal/?filter=%5E{link}", at)

    async def _accounts_of(self, ledger: str, data: LedgerData) -> Mapping[str, Account]:
        try:
            return await read_accounts(self._client, ledger, data)
        except HttpFault as fault:
            if fault.status != 404:
                raise
            raise self._failed(
                FailureKind.VERSION_UNSUPPORTED,
                "HTTP 404 to a request for the journal",
                version=f"a version before {_FIRST_VERSION}",
                supported=f"{_FIRST_VERSION} or newer",
            ) from None

    def _refuse_missing_accounts(self, accounts: Mapping[str, Account]) -> None:
        today = dt.datetime.now(dt.UTC).date()
        missing = []
        for name in dict.fromkeys(self._accounts.named().values()):
            account = accounts.get(name)
            if account is None or (account.closed and account.closed <= today):
                missing.append(name)
        if missing:
            word = "account" if len(missing) == 1 else "accounts"
            raise self._failed(
                FailureKind.CONFIGURATION_MISSING,
                f"{len(missing)} of the configured accounts",
                missing=f"{word} {', '.join(missing)}",
            )

    def _cautions(self, data: LedgerData, *, proved: bool) -> Iterator[Caution]:
        facts = {"system": self.title, "storage": self._facts["storage"], "count": str(len(data.errors))}
        if data.errors:
            yield Caution(CautionKind.BOOKS_HAVE_ERRORS, facts)
        if not proved:
            yield Caution(CautionKind.STORAGE_UNPROVED, facts)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what the requests raise into `CheckFailed`, with the facts that its sentences use."""
        try:
            yield
        except CheckFailed as failed:
            raise self._failed(failed.failure.kind, failed.failure.evidence, **failed.failure.facts) from None
        except WriteRefused as refused:
            kind = _BY_WRITE_STATUS[refused.status]
            raise self._failed(kind, f"HTTP {refused.status} to a writing request") from None
        except FavaRefusal as refusal:
            for words, kind in _BY_REASON.items():
                if words in refusal.reason:
                    raise self._failed(kind, f"HTTP 500, {words.lower()}") from None
            raise self._failed(kind_of(HttpFault(Fault.STATUS, status=500)), "HTTP 500") from None
        except HttpFault as fault:
            raise check_failed(fault, **self._facts) from None

    def _failed(self, kind: FailureKind, evidence: str, **facts: str) -> CheckFailed:
        return CheckFailed(kind, evidence=evidence, **{**self._facts, **facts})
