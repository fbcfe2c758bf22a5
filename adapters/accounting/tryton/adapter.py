"""Tryton as an accounting system: the three checks, and how entries come into it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote
from uuid import UUID

from adapters.accounting.answers import check_failed
from adapters.accounting.booking import Booked, BookingResult, Entry, Receipt
from adapters.accounting.cautions import Caution, CautionKind
from adapters.accounting.contract import (
    PLEO_ATTACHMENTS,
    BookingAccounts,
    Capabilities,
    CheckFailed,
)
from adapters.accounting.failures import FailureKind
from adapters.accounting.item_failures import ItemFailure
from adapters.accounting.tryton.attaching import attach
from adapters.accounting.tryton.booking import BATCH_SIZE, Booking
from adapters.accounting.tryton.books import (
    find_journal,
    find_open_periods,
    is_within,
    prove_accounts,
)
from adapters.accounting.tryton.client import Preferences, TrytonClient, TrytonRefusal
from adapters.accounting.tryton.company import find_company
from adapters.accounting.tryton.entries import is_unfinished, look_up
from adapters.accounting.tryton.ground import Place, current_company, first_open_day, flaw_of, survey
from adapters.accounting.tryton.records import Move
from adapters.accounting.tryton.rights import prove_rights
from adapters.accounting.tryton.settings import TrytonSettings
from adapters.faults import Fault, HttpFault
from adapters.texts import plain

_VARIABLE = "PLEO_EXPORT_ACCOUNTING__"

SUPPORTED_SERIES = ("8.2",)
"""Versions of Tryton that the adapter's tests run against."""

_VERSION_LIMIT = 20
"""Characters of a version that are shown."""

_PATIENCE = 0.8
"""Share of the deadline that a check's own requests may take; the rest finds out what was silent."""


class TrytonSystem:
    """One company in a Tryton: an `AccountingSystem` for the checks, and its `Books`.

    The checks only read, in transactions that Tryton itself opens for reading.

    Args:
        settings: where the books are.
        accounts: accounts that the configuration names, by code; they must take entries.
        deadline: seconds for one check, for one request that writes, and for settling a lost answer.

    """

    Settings = TrytonSettings
    title = "Tryton"
    # Vendor-based bookkeeping needs invoices and payments; a party in Tryton alone is not enough.
    capabilities = Capabilities(
        journal_entries=True,
        accounts_payable=False,
        attachments=PLEO_ATTACHMENTS,
        multi_currency=False,  # a second currency needs a rate of exchange, which Pleo does not give
        find_by_reference=True,
        batch_size=BATCH_SIZE,
    )

    def __init__(self, settings: TrytonSettings, *, accounts: BookingAccounts, deadline: float) -> None:
        self._settings = settings
        self._accounts = accounts
        self._deadline = deadline
        self._facts = {
            "credential": "the application key",
            "user": "the user of the application key",
            "setting": f"{_VARIABLE}DATABASE",
        }
        self._client = TrytonClient(
            settings.url,
            database=settings.database,
            key=settings.application_key.get_secret_value(),
            deadline=deadline,
        )
        self._place = Place(settings.company, settings.journal)
        self._links: bool | None = None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def check_reachability(self) -> Sequence[Caution]:
        """Prove that a Tryton of a supported version answers, and that it has the database (L43).

        The key is not sent before this is proved.
        """
        async with self._failures():
            await self._prove_version()
            if await self._client.has_lost_its_databases():
                raise self._failed(FailureKind.DATABASE_SILENT, "HTTP 503 for its list of databases")
            await self._client.expect_database()
        return ()

    async def check_auth(self) -> Sequence[Caution]:
        """Prove that the application key is accepted (L43)."""
        async with self._failures():
            await self._client.preferences()
        return ()

    async def check_writability(self) -> Sequence[Caution]:
        """Prove that the user could create an entry with attachments now, in the right company (L43)."""
        async with self._failures():
            await self._prove_accounting()
            user = await self._client.preferences()
            self._remember(user)
            company = await find_company(self._client, user, self._settings.company)
            await prove_rights(self._client)
            journal = await find_journal(self._client, self._settings.journal)
            await prove_accounts(self._client, company, list(self._accounts.named().values()))
            periods = await find_open_periods(self._client, company, journal)
        today = dt.datetime.now(dt.UTC).date()
        if is_within(periods, today):
            return ()
        facts = {"system": self.title, "date": f"{today:%Y-%m-%d}", "count": str(len(periods))}
        return (Caution(CautionKind.TODAY_NOT_OPEN, facts),)

    async def find(self, references: Collection[UUID]) -> Mapping[UUID, Booked]:
        """Find entries by reference, except drafts that were to be posted: `book` finishes those."""
        found: dict[UUID, Booked] = {}
        for batch in _batches(list(references)):
            async with self._failures():
                company = await current_company(self._client, self._place)
                moves = await look_up(self._client, company, batch)
            await self._learn_links()
            finished = {reference: move for reference, move in moves.items() if not is_unfinished(move)}
            found |= {each: Booked(each, move.name, self._link(move)) for each, move in finished.items()}
        return found

    async def examine(self, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
        """Say which entries Tryton would not take."""
        codes = {line.account for entry in entries for line in entry.lines}
        async with self._failures():
            ground = await survey(self._client, self._place, codes)
        flaws = {entry.reference: flaw_of(entry, ground, self._place) for entry in entries}
        return {reference: flaw for reference, flaw in flaws.items() if flaw}

    async def next_open_day(self, day: dt.date) -> dt.date | None:
        """Give the day, or the first one after it, on which the journal takes entries."""
        async with self._failures():
            return first_open_day((await survey(self._client, self._place)).periods, day)

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        """Book entries, at most `capabilities.batch_size`; one result an entry, in their order."""
        await self._learn_links()
        booking = Booking(self._client, self._failures, self._place, link=self._link, patience=self._deadline)
        return await booking.book(entries)

    async def attach(self, booked: Booked, receipt: Receipt) -> None:
        """Attach a file to an entry, once."""
        limit = PLEO_ATTACHMENTS.max_bytes
        await attach(self._client, self._failures, self._place, booked, receipt, max_bytes=limit)

    async def _learn_links(self) -> None:
        """Find out once whether there are links; a server that does not say so now is asked again."""
        if self._links is None:
            with suppress(HttpFault):
                self._links = await self._client.has_web_client()

    def _link(self, move: Move) -> str | None:
        """Give the address of an entry in the form of Tryton's own links, if its web client is served."""
        if not self._links:
            return None
        path = quote(f"{self._settings.database}/model/account.move/{move.id}")
        return f"{self._settings.url.rstrip('/')}/#{path}"

    async def _prove_version(self) -> None:
        try:
            series = await self._client.version(within=self._deadline * _PATIENCE / 2)
        except HttpFault as fault:
            if fault.status in {401, 403, 407}:  # Tryton tells everyone its version: someone is in between
                raise self._failed(FailureKind.NOT_THE_SYSTEM, fault.evidence) from None
            raise check_failed(fault, **{**self._facts, "setting": f"{_VARIABLE}URL"}) from None
        if series not in SUPPORTED_SERIES:
            version, supported = f"version {plain(series, _VERSION_LIMIT)}", " or ".join(SUPPORTED_SERIES)
            raise self._failed(FailureKind.VERSION_UNSUPPORTED, version, version=version, supported=supported)

    async def _prove_accounting(self) -> None:
        """Refuse a database in which Tryton's accounting is not activated: it holds no books."""
        if not await self._client.has_model("account.move"):
            raise self._failed(FailureKind.WRONG_ADDRESS, "accounting is not activated in this database")

    def _remember(self, user: Preferences) -> None:
        if user.name:
            self._facts["user"] = f"user {user.name}"

    @asynccontextmanager
    async def _failures(self) -> AsyncIterator[None]:
        """Turn what the requests to the database raise into `CheckFailed`, in time.

        When PostgreSQL is down, or slow, Tryton lets requests wait for 30 s. Whatever is silent for most
        of the deadline is told apart by the one request that Tryton answers without its database.
        """
        try:
            async with asyncio.timeout(self._deadline * _PATIENCE):
                yield
        except CheckFailed as failed:
            raise self._failed(failed.failure.kind, failed.failure.evidence, **failed.failure.facts) from None
        except TrytonRefusal as refusal:
            evidence = f"no right to read {refusal.model}"
            raise self._failed(FailureKind.CREATION_NOT_ALLOWED, evidence) from None
        except TimeoutError:
            raise await self._silence() from None
        except HttpFault as fault:
            if fault.fault is Fault.TIMEOUT:
                raise await self._silence() from None
            raise check_failed(fault, **self._facts) from None

    async def _silence(self) -> CheckFailed:
        """Find out who did not answer: Tryton's database or Tryton."""
        try:
            await self._client.version(within=self._deadline * (1 - _PATIENCE) / 2)
        except HttpFault:
            return check_failed(HttpFault(Fault.TIMEOUT), **self._facts)
        return self._failed(FailureKind.DATABASE_SILENT, "no answer in time, although Tryton itself answers")

    def _failed(self, kind: FailureKind, evidence: str, **facts: str) -> CheckFailed:
        return CheckFailed(kind, evidence=evidence, **{**self._facts, **facts})


def _batches(references: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (references[start : start + BATCH_SIZE] for start in range(0, len(references), BATCH_SIZE))
