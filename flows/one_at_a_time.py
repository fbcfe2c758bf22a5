"""One export at a time for a company, whichever deployment, worker or person starts it (L37).

Prefect's global concurrency limit with a lease: a run that dies lets go of it within about a minute. It
keeps two runs from booking the same job side by side; that nothing is booked twice rests besides on the
look-up by reference right before booking.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.logging import get_logger

from flows.lease import Lease, take_slot

_WAIT_SECONDS = 20
"""Seconds that a run waits for another one of its company before it leaves the job to that one."""
_ASK_SECONDS = 2
"""Seconds between two askings while it waits."""
_ANSWER_SECONDS = 30
"""Seconds in which Prefect's server has to answer, beside the wait."""

logger = get_logger("one-at-a-time")


class LockNotHad(Exception):
    """Prefect's server could not be asked for the lock; nothing was begun."""


class LockLost(Exception):
    """The lock could not be renewed, so another run may hold it soon: whatever was at work has stopped."""


@asynccontextmanager
async def one_at_a_time(company_id: UUID) -> AsyncIterator[bool]:
    """Hold the company's lock inside the block; False if another run keeps it.

    If the lease cannot be renewed the block is cancelled where it stands, before the lease ends.

    Raises:
        LockNotHad: before the block.
        LockLost: instead of what the cancelled block would have given.

    """
    try:
        async with asyncio.timeout(_WAIT_SECONDS + _ANSWER_SECONDS), get_client() as client:
            lease = await _take(client, f"pleo-export-{company_id}")
    except Exception as error:  # noqa: BLE001 - whatever went wrong, there is no lock
        raise LockNotHad(type(error).__name__) from None
    if lease is None:
        yield False
        return

    held = asyncio.timeout(None)
    try:
        async with held:
            lease.keep(lost=partial(_end, held))
            yield True
    except BaseException:
        if held.expired():
            raise LockLost from None
        raise
    finally:
        await _give_back(lease)


def _end(held: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # the block has come to its end in the same moment
        held.reschedule(asyncio.get_running_loop().time())


async def _take(client: PrefectClient, limit: str) -> Lease | None:
    """Make the limit where it is new, and wait a while for its slot."""
    try:
        await client.upsert_global_concurrency_limit_by_name(limit, 1)
    except Exception:  # noqa: BLE001 - Prefect looks, then creates: another run may have come in between
        await client.read_global_concurrency_limit_by_name(limit)
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        lease = await take_slot(client, limit)
        if lease or time.monotonic() + _ASK_SECONDS > end:
            return lease
        await asyncio.sleep(_ASK_SECONDS)


async def _give_back(lease: Lease) -> None:
    """Free the lock; what was done is done, so that nothing that goes wrong here counts any more."""
    try:
        await lease.give_back()
    except Exception as error:  # noqa: BLE001 - see above
        logger.warning("The lock could not be given back (%s); it frees itself.", type(error).__name__)
