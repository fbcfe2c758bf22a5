"""Subscribing to Pleo's webhooks: once for an address, and the secrets that deliveries are signed with."""

from __future__ import annotations

from typing import Any

from adapters.faults import HttpFault
from adapters.pleo import models
from adapters.pleo.client import PleoClient
from adapters.pleo.errors import UnusableAnswer, pleo_error
from adapters.pleo.models import Subscription
from adapters.pleo.webhooks.events import JOB_CREATED
from adapters.pleo.webhooks.signatures import usable_secret


class SubscriptionClient(PleoClient):
    """Calls Pleo's subscriptions for one company; one subscription for a company and credential (L109)."""

    async def list_subscriptions(self) -> list[Subscription]:
        """Read the subscriptions to new export jobs, whatever their status.

        Raises:
            PleoError: as for every call here.

        """
        pages = self._pages("/v1/subscriptions", {"event_types": [JOB_CREATED]}, models.SUBSCRIPTION_PAGE)
        return [each async for page in pages for each in page if JOB_CREATED in each.event_types]

    async def secrets(self) -> list[str]:
        """Read the signing secrets of the active subscriptions (L106, U48)."""
        return [await self.secret_of(each) for each in await self.list_subscriptions() if each.active]

    async def secret_of(self, subscription: Subscription) -> str:
        """Read the signing secret of one subscription.

        Raises:
            UnusableAnswer: it is not of the documented form.

        """
        path = f"/v1/subscriptions/{subscription.id}/secret"
        secret = (await self._read(path, {}, models.SUBSCRIPTION_SECRET)).data.secret_key
        if not usable_secret(secret):
            raise UnusableAnswer("the secret of the subscription is not of the documented form")
        return secret

    async def subscribe(self, url: str, basic: str | None) -> tuple[Subscription, bool]:
        """Have new export jobs delivered to a URL, and say whether that needed a new subscription.

        One for that URL is taken; it is made active, and given the credentials, which Pleo never shows again.
        Of a creation whose answer is lost, the next call finds what came of it.

        Args:
            url: where to deliver.
            basic: `user:password` that deliveries shall carry; None for none.

        """
        request: dict[str, Any] = {"endpointUrl": url, "eventTypes": [JOB_CREATED], "status": "ACTIVE"}
        if basic is not None:
            user, _, password = basic.partition(":")
            request["endpointAuth"] = {
                "type": "BASIC",
                "credentials": {"username": user, "password": password},
            }
        found = [each for each in await self.list_subscriptions() if each.endpoint_url == url]
        found.sort(key=lambda each: not each.active)
        if not found:
            return await self._write("POST", "/v1/subscriptions", request), True
        kept = found[0]
        if kept.active and basic is None:
            return kept, False
        events = [kept.event_types] if isinstance(kept.event_types, str) else kept.event_types
        request |= {"eventTypes": events, "customHeaders": kept.custom_headers}
        return await self._write("PUT", f"/v1/subscriptions/{kept.id}", request), False

    async def _write(self, method: str, path: str, request: dict[str, Any]) -> Subscription:
        try:
            return (await self._send(method, path, json=request)).parse(models.SUBSCRIPTION).data
        except HttpFault as fault:
            raise pleo_error(fault) from None
