"""A real accounting system in which something goes wrong at moments that a machine chooses."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from adapters.accounting.booking import Booked, BookingResult, Entry, Receipt, Uncertain
from adapters.accounting.cautions import Caution
from adapters.accounting.contract import AccountingSystem, CheckFailed
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from tests.support.filed_books import Trouble

_LINK = re.compile(r"\^(pleo-([0-9a-f-]{36}))")


class TroubledSystem:
    """Hands everything to the real system, and calls `trouble` at the moments of `FiledBooks`."""

    def __init__(self, real: AccountingSystem, trouble: Trouble) -> None:
        self.title, self.capabilities = real.title, real.capabilities
        self._real, self._trouble = real, trouble

    async def aclose(self) -> None:
        await self._real.aclose()

    async def check_reachability(self) -> Sequence[Caution]:
        self._trouble("reachability")
        return await self._real.check_reachability()

    async def check_auth(self) -> Sequence[Caution]:
        self._trouble("auth")
        return await self._real.check_auth()

    async def check_writability(self) -> Sequence[Caution]:
        self._trouble("writability")
        return await self._real.check_writability()

    async def find(self, references: Collection[UUID]) -> Mapping[UUID, Booked]:
        self._trouble("find")
        return await self._real.find(references)

    async def examine(self, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
        self._trouble("examine")
        return await self._real.examine(entries)

    async def next_open_day(self, day: dt.date) -> dt.date | None:
        return await self._real.next_open_day(day)

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        """Lose the answer of the whole batch where `booked` says so."""
        unreachable = ItemFailure(ItemFailureKind.SYSTEM_UNREACHABLE)
        doubt = [Uncertain(each.reference, unreachable) for each in entries]
        try:
            self._trouble("book")
        except CheckFailed:
            return doubt
        results = await self._real.book(entries)
        try:
            self._trouble("booked")
        except CheckFailed:
            return doubt
        return results

    async def attach(self, booked: Booked, receipt: Receipt) -> None:
        await self._real.attach(booked, receipt)


def entries_of_ledger(file: Path) -> list[tuple[UUID, str]]:
    """Give reference and id of each entry in a ledger's file, as often as it stands there."""
    return [(UUID(found[2]), found[1]) for found in _LINK.finditer(file.read_text())]
