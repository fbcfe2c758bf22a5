"""One export at a time for a company, whichever deployment, worker or person starts it (L37).

Prefect's global concurrency limit with a lease: a run that dies lets go of it within about a minute. It
keeps two runs from booking the same job side by side; that nothing is booked twice rests besides on the
look-up by reference right before booking.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import concurrency

_LEASE_SECONDS = 60
_WAIT_SECONDS = 20
"""Seconds that a run waits for another one of its company before it leaves the job to that one."""


@asynccontextmanager
async def one_at_a_time(company_id: UUID) -> AsyncIterator[bool]:
    """Hold the company's lock inside the block; False if another run keeps it."""
    name = f"pleo-export-{company_id}"
    async with AsyncExitStack() as held:
        try:
            async with get_client() as client:
                await client.upsert_global_concurrency_limit_by_name(name, 1)
            await held.enter_async_context(
                concurrency(
                    name, occupy=1, strict=True, lease_duration=_LEASE_SECONDS, timeout_seconds=_WAIT_SECONDS
                )
            )
        except TimeoutError:
            yield False
            return
        yield True
