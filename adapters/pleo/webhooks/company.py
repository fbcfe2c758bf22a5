"""A company whose deliveries are received: its secrets, and how they are read again (U46, U48)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from adapters.pleo.webhooks.signatures import has_basic, is_signed

RENEWAL_PAUSE_SECONDS = 300
"""Secrets are read again at most once in this time, however many deliveries do not verify (U48)."""

Renewal = Callable[[], Awaitable[Sequence[str]]]
"""Reads the secrets that are valid now. What it raises leaves the known ones in force."""

logger = logging.getLogger("pleo_export.webhook")


class ServedCompany:
    """One company of the receiver.

    Args:
        company_id: its id in Pleo.
        connection: name of its saved connection; None for the environment's.
        secrets: signing secrets; several while one replaces another.
        basic: `user:password` that deliveries must carry besides; None asks for none.
        renewal: reads the secrets anew.

    """

    def __init__(
        self,
        company_id: UUID,
        connection: str | None,
        secrets: Sequence[str],
        basic: str | None,
        renewal: Renewal,
    ) -> None:
        self.company_id = company_id
        self.connection = connection
        self._secrets = tuple(secrets)
        self._basic = basic
        self._renewal = renewal
        self._renewing: asyncio.Task[None] | None = None
        self._renewed_at = float("-inf")

    def lets_in(self, headers: Mapping[str, str]) -> bool:
        """Whether the second lock opens: Basic credentials, if any are asked for."""
        return self._basic is None or has_basic(headers, self._basic)

    async def signed(self, headers: Mapping[str, str], body: bytes, seconds: float) -> bool:
        """Whether the company's subscription signed this; its secrets are read again if it seems not.

        Raises:
            TimeoutError: reading them takes longer than `seconds`; it goes on, so a repeat finds out.

        """
        if is_signed(headers, body, self._secrets):
            return True
        if self._renewing is None:
            if time.monotonic() < self._renewed_at + RENEWAL_PAUSE_SECONDS:
                return False
            self._renewed_at = time.monotonic()
            self._renewing = asyncio.create_task(self._renew())
        async with asyncio.timeout(seconds):
            await asyncio.shield(self._renewing)
        return is_signed(headers, body, self._secrets)

    async def _renew(self) -> None:
        try:
            found = tuple(await self._renewal())
            if found and found != self._secrets:
                self._secrets = found
                logger.info("Company %s: its webhook secret was read anew from Pleo.", self.company_id)
        except Exception as error:  # noqa: BLE001 - its text could hold a secret; the known ones stay
            logger.warning(
                "Company %s: its webhook secret could not be read anew (%s); the known one stays.",
                self.company_id,
                type(error).__name__,
            )
        finally:
            self._renewing = None
