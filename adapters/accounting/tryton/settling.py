"""What became of a request that writes: whether it certainly had no effect, and what the books say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from adapters.accounting.contract import CheckFailed
from adapters.accounting.tryton.client import TrytonClient
from adapters.accounting.tryton.entries import look_up
from adapters.accounting.tryton.ground import Place, current_company
from adapters.accounting.tryton.records import Move
from adapters.faults import Fault, HttpFault

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0
"""Seconds between two look-ups after a lost answer; each pause is twice as long as the one before."""

Guard = Callable[[], AbstractAsyncContextManager[None]]
"""A block that ends in time and lets out nothing but `CheckFailed`."""


def has_not_run(fault: HttpFault) -> bool:
    """Whether a request certainly had no effect: it did not arrive, or was turned away at the door."""
    turned_away = fault.status is not None and 400 <= fault.status < 500 and fault.status != 408
    return not fault.may_have_arrived or (fault.fault is Fault.STATUS and turned_away)


class LookUps:
    """Looks entries up after a lost answer.

    Args:
        client: of the database.
        guard: for reads.
        place: the company whose entries they are.

    """

    def __init__(self, client: TrytonClient, guard: Guard, place: Place) -> None:
        self._client = client
        self._guard = guard
        self._place = place

    async def __call__(
        self, references: Collection[UUID], patience: float
    ) -> AsyncIterator[Mapping[UUID, Move] | None]:
        """Look entries up again and again, at longer and longer intervals, for so many seconds."""
        pause, end = _FIRST_PAUSE, asyncio.get_running_loop().time() + patience
        while True:
            yield await self._look_again(references)
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _look_again(self, references: Collection[UUID]) -> Mapping[UUID, Move] | None:
        """Look entries up; None if Tryton could not be asked, or would not show the company's entries now."""
        try:
            async with self._guard():
                company = await current_company(self._client, self._place)
                return await look_up(self._client, company, references)
        except CheckFailed:
            return None
