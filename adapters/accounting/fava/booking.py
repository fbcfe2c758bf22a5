"""Books a batch of entries into a ledger, takes back what made an error, and never books one twice.

Fava stores a batch in one request and says nothing about the entries. So the ledger is asked: which of
the batch it holds, and which errors it has that it did not have before.

Where the answer was lost, an entry that is found is booked. One that is not found is *uncertain*: Fava
may have the request still before it (it takes an entry apart before it waits for its turn to write), and
so may a proxy. Only a request that Fava itself answered, or that certainly never reached it, leaves what is
not found refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from adapters.accounting.booking import Booked, BookingResult, Entry, Refused, Uncertain
from adapters.accounting.contract import CheckFailed
from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.errors import Errors, judge, read_errors
from adapters.accounting.fava.examining import examine
from adapters.accounting.fava.lookup import Place, look_up, settle
from adapters.accounting.fava.said import ledger_error, of_system
from adapters.accounting.fava.sending import Failures, Fate, Sent, send
from adapters.accounting.fava.taking_back import Moved, take_back
from adapters.accounting.item_failures import ItemFailure

_ATTEMPTS = 3

Places = Mapping[UUID, list[Place]]

Naming = Callable[[UUID, Sequence[Place], dt.datetime | None], Booked]
"""Makes the result for an entry that is in the books, since the given moment if it is new."""


class Batch:
    """One batch on its way into one ledger.

    Args:
        client: its server.
        ledger: path of the ledger.
        failures: turns what requests raise into `CheckFailed`.
        naming: makes results.

    """

    def __init__(
        self,
        client: FavaClient,
        ledger: str,
        failures: Failures,
        naming: Naming,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._failures = failures
        self._naming = naming
        self._results: dict[UUID, BookingResult] = {}

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        """Book them; one result each, in their order.

        Raises:
            CheckFailed: the ledger could not be asked beforehand; nothing was sent.

        """
        with self._failures():
            await settle(self._client, self._ledger)
            there = await look_up(self._client, self._ledger, [entry.reference for entry in entries])
            objections = await examine(self._client, self._ledger, entries)
            before = await read_errors(self._client, self._ledger)
        to_send: dict[UUID, Entry] = {}
        for entry in entries:
            reference = entry.reference
            if reference in there:
                self._results[reference] = self._naming(reference, there[reference], None)
            elif reference in objections:
                self._results[reference] = Refused(reference, objections[reference])
            else:
                to_send.setdefault(reference, entry)
        if to_send:
            await self._send(to_send, before)
        return [self._results[entry.reference] for entry in entries]

    async def _send(self, batch: Mapping[UUID, Entry], before: Errors) -> None:
        """Send the batch in one request, and ask the ledger what became of it."""
        sent = await send(self._client, self._ledger, list(batch.values()), self._failures)
        if sent.fate is Fate.NOT_STORED:
            await self._refuse_or_divide(batch, batch, sent)
            return
        try:
            with self._failures():
                await settle(self._client, self._ledger)
                places = await look_up(self._client, self._ledger, batch)
                after = await read_errors(self._client, self._ledger)
        except CheckFailed as failed:
            why = of_system(failed.failure.kind) if sent.fate is Fate.STORED else sent.failure
            self._doubt(dict.fromkeys(batch, why))
            return
        now = dt.datetime.now(dt.UTC)
        self._results.update({each: self._naming(each, found, now) for each, found in places.items()})
        await self._remove_errors(batch, places, before, after)
        missing = {reference: entry for reference, entry in batch.items() if reference not in places}
        if sent.fate is Fate.SETTLED:
            await self._refuse_or_divide(missing, batch, sent)
        else:  # also where Fava says that it stored them, and they are not there: not for us to repeat
            self._doubt(dict.fromkeys(missing, sent.failure))

    async def _refuse_or_divide(
        self, missing: Mapping[UUID, Entry], batch: Mapping[UUID, Entry], sent: Sent
    ) -> None:
        if sent.divisible and len(batch) > 1:
            await self._send_halves(missing)
        else:
            self._refuse(missing, sent.failure)

    async def _remove_errors(
        self, batch: Mapping[UUID, Entry], places: Places, before: Errors, after: Errors
    ) -> None:
        """Take back the entries that made an error, so that the ledger has none that it did not have.

        Where an error names no entry, or stays without those that it names (plugins may name the last of
        several), all are taken back and sent again in halves: they are certainly not in the books then.
        """
        verdict = judge(before, after, batch, places)
        guilty = dict(verdict.guilty)
        if guilty:
            if not await self._take_back(guilty):
                return
            left = [reference for reference in places if reference not in guilty]
            try:
                with self._failures():
                    places = await look_up(self._client, self._ledger, left)
                    after = await read_errors(self._client, self._ledger)
            except CheckFailed:
                return
            verdict = judge(before, after, batch, places)
        if verdict.is_clean:
            return
        reason = ledger_error(verdict.unexplained or "")
        suspected = {reference: verdict.guilty.get(reference, reason) for reference in places}
        if suspected and not await self._take_back(suspected):
            return
        again = {reference: batch[reference] for reference in batch if reference in {**guilty, **suspected}}
        if len(again) > 1:
            await self._send_halves(again)

    async def _take_back(self, entries: Mapping[UUID, ItemFailure]) -> bool:
        """Take entries out again, and refuse them; tell whether that is done.

        Where it is not, they are uncertain: they may still be in the books, with their error.
        """
        self._doubt(entries)
        for _attempt in range(_ATTEMPTS):
            try:
                with self._failures():
                    await settle(self._client, self._ledger)
                    places = await look_up(self._client, self._ledger, entries)
                    try:
                        await take_back(self._client, self._ledger, places)
                    except Moved:
                        continue
                    await self._client.changed(self._ledger)
            except CheckFailed:
                return False
            self._results.update({reference: Refused(reference, why) for reference, why in entries.items()})
            return True
        return False

    async def _send_halves(self, batch: Mapping[UUID, Entry]) -> None:
        """Send what is certainly not in the books in two requests, so that a bad entry is alone at last."""
        entries = list(batch.items())
        middle = (len(entries) + 1) // 2
        for half in (dict(entries[:middle]), dict(entries[middle:])):
            if not half:
                continue
            try:
                with self._failures():
                    await settle(self._client, self._ledger)
                    before = await read_errors(self._client, self._ledger)
            except CheckFailed as failed:
                self._refuse(half, of_system(failed.failure.kind))
            else:
                await self._send(half, before)

    def _refuse(self, batch: Mapping[UUID, Entry], failure: ItemFailure) -> None:
        self._results.update({reference: Refused(reference, failure) for reference in batch})

    def _doubt(self, entries: Mapping[UUID, ItemFailure]) -> None:
        self._results.update({reference: Uncertain(reference, why) for reference, why in entries.items()})
