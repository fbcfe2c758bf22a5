"""One export at a time for a company, whichever deployment, worker or person starts it (L37).

Prefect's global concurrency limit with a lease: a run that dies lets go of it within about a minute. It
keeps two runs from booking the same job side by side; that nothing is booked twice rests besides on the
look-up by reference right before booking.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, concurrency
from prefect.logging import get_logger

_LEASE_SECONDS = 60
_WAIT_SECONDS = 20
"""Seconds that a run waits for another one of its company before it leaves the job to that one."""
_ANSWER_SECONDS = 30
"""Seconds in which Prefect's server has to answer."""

logger = get_logger("one-at-a-time")


class LockNotHad(Exception):
    """Prefect's server could not be asked for the lock; nothing was begun."""


class LockLost(Exception):
    """The lock could not be renewed, so another run may hold it soon: whatever was at work has stopped."""


@asynccontextmanager
async def one_at_a_time(company_id: UUID) -> AsyncIterator[bool]:
    """Hold the company's lock inside the block; False if another run keeps it.

    If the lease cannot be renewed the block is cancelled where it stands.

    Raises:
        LockNotHad: before the block.
        LockLost: instead of what the cancelled block would have given.

    """
    name = f"pleo-export-{company_id}"
    lock = concurrency(
        name, occupy=1, strict=True, lease_duration=_LEASE_SECONDS, timeout_seconds=_WAIT_SECONDS
    )
    try:
        await _make_sure_that_it_exists(name)
        await lock.__aenter__()
    except AcquireConcurrencySlotTimeoutError:
        await _make_sure_that_it_is_held(name)
        yield False
        return
    except Exception as error:  # noqa: BLE001 - whatever went wrong, there is no lock
        raise LockNotHad(type(error).__name__) from None

    ended: BaseException | None = None
    try:
        yield True
    except BaseException as error:  # noqa: BLE001 - raised again below
        ended = error
    try:
        await lock.__aexit__(type(ended) if ended else None, ended, ended.__traceback__ if ended else None)
    except asyncio.CancelledError as cancelled:
        ended = cancelled
    except Exception as error:  # noqa: BLE001 - what was done is done; the lease ends by itself
        logger.warning("The lock could not be given back (%s); it frees itself.", type(error).__name__)
    if isinstance(ended, asyncio.CancelledError) and not _asked_to_stop():
        raise LockLost from None
    if ended is not None:
        raise ended


def _asked_to_stop() -> bool:
    """Whether the task is being cancelled from outside, and not by the lock alone."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _make_sure_that_it_exists(name: str) -> None:
    """Create the lock where it is new; of two runs that do so at once, the later one finds it there."""
    async with asyncio.timeout(_ANSWER_SECONDS), get_client() as client:
        try:
            await client.upsert_global_concurrency_limit_by_name(name, 1)
        except Exception:  # noqa: BLE001 - Prefect looks, then creates: another run may have come in between
            await client.read_global_concurrency_limit_by_name(name)


async def _make_sure_that_it_is_held(name: str) -> None:
    """Tell a lock that another run holds from a server that does not answer.

    Raises:
        LockNotHad: it does not answer.

    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS), get_client() as client:
            await client.read_global_concurrency_limit_by_name(name)
    except Exception as error:  # noqa: BLE001 - see above
        raise LockNotHad(type(error).__name__) from None
