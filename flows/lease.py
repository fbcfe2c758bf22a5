"""A lease on one slot of a global concurrency limit, and a sign in time when it cannot be kept.

Prefect's own `concurrency` asks for a renewal after three quarters of the lease, and then three times, each
of which its client repeats for a minute once it was connected: with Prefect 3.9.1 a run whose server had gone
went on for more than two minutes with a lease of 60 seconds, while another run could have had the slot.
Here a thread renews early, so that a restart of the server does no harm, and gives up before the lease ends.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from prefect.client.orchestration import PrefectClient, SyncPrefectClient, get_client
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

LEASE_SECONDS = 60
"""The shortest that Prefect grants."""
RENEW_SECONDS = 15
ANSWER_SECONDS = 10
"""Seconds in which Prefect's server has to answer a renewal, or to take the slot back."""
RETRY_SECONDS = 2
RESERVE_SECONDS = 5
"""Seconds before the end of the lease at which it counts as lost."""

_HELD_BY_ANOTHER = 423
_GONE = {404, 410}


class NoSuchLimit(Exception):
    """The limit was deleted since it was made."""


class Lease:
    """One slot, kept until it is given back or cannot be renewed in time.

    Attributes:
        id: Prefect's id of the lease.

    """

    def __init__(self, lease_id: UUID, asked: float) -> None:
        """Take over a lease that was asked for at the moment `asked`, of the machine's steady clock."""
        self.id = lease_id
        self._good_until = asked + LEASE_SECONDS
        self._given_back = threading.Event()

    def keep(self, lost: Callable[[], None]) -> None:
        """Renew from a thread, also while the event loop is busy; call `lost` in the loop, once at most."""
        loop = asyncio.get_running_loop()

        def in_loop() -> None:
            with suppress(RuntimeError):  # the loop has ended, and so has what the slot was for
                loop.call_soon_threadsafe(lost)

        # The address of the server may be one that holds in this context alone.
        renewing = contextvars.copy_context()
        threading.Thread(
            target=renewing.run, args=(self._renew, in_loop), name=f"lease-{self.id}", daemon=True
        ).start()

    async def give_back(self) -> None:
        """Free the slot.

        Raises:
            Exception: whatever Prefect's client raises; the slot frees itself when the lease ends.

        """
        self._given_back.set()
        async with asyncio.timeout(ANSWER_SECONDS), get_client() as client:
            await client.release_concurrency_slots_with_lease(self.id)

    def _renew(self, lost: Callable[[], None]) -> None:
        quick = {PREFECT_API_REQUEST_TIMEOUT: ANSWER_SECONDS, PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(quick), get_client(sync_client=True) as client:
            wait: float = RENEW_SECONDS
            while not self._given_back.wait(wait):
                wait = RENEW_SECONDS if self._renewed(client) else RETRY_SECONDS
                if time.monotonic() > self._good_until - RESERVE_SECONDS:
                    if not self._given_back.is_set():
                        lost()
                    return

    def _renewed(self, client: SyncPrefectClient) -> bool:
        asked = time.monotonic()
        try:
            client.renew_concurrency_lease(self.id, LEASE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever the reason, there is time to ask again, or none
            if _status(error) in _GONE:
                self._good_until = asked
            return False
        self._good_until = asked + LEASE_SECONDS
        return True


async def take_slot(client: PrefectClient, limit: str) -> Lease | None:
    """Take one slot of the limit; None if others hold all of them.

    Raises:
        NoSuchLimit: there is no such limit.
        Exception: whatever Prefect's client raises if the server does not answer rightly.

    """
    asked = time.monotonic()
    try:
        answer = await client.increment_concurrency_slots_with_lease(
            [limit], 1, "concurrency", LEASE_SECONDS, _holder()
        )
    except PrefectHTTPStatusError as error:
        if _status(error) == _HELD_BY_ANOTHER:
            return None
        raise
    granted = answer.json()
    if not granted["limits"]:
        raise NoSuchLimit(limit)
    return Lease(UUID(granted["lease_id"]), asked)


def _holder() -> ConcurrencyLeaseHolder | None:
    """Name the flow run, so that Prefect's pages tell who holds the slot."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return None
    return ConcurrencyLeaseHolder(type="flow_run", id=context.flow_run.id)


def _status(error: Exception) -> int | None:
    return error.response.status_code if isinstance(error, PrefectHTTPStatusError) else None
