"""Webhook subscriptions: who wants to hear of which events, and the log of changes to them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import asdict, dataclass, field
from typing import Self
from uuid import uuid4

from .clock import as_text
from .refusals import no_such_record
from .schemas import Json


@dataclass(slots=True)
class Subscription:
    """One subscription with its signing secret (L103, L106).

    Attributes:
        number: rank by creation; a list position that never changes.
        basic: user name and password that deliveries carry, None unless asked for (L105).

    """

    id: str
    number: int
    url: str
    event_types: list[str]
    active: bool
    headers: dict[str, str]
    basic: list[str] | None
    secret: str
    created_at: float
    updated_at: float
    activities: list[Json] = field(default_factory=list)

    def describe(self) -> Json:
        """Give it as the contract's Subscription; the Basic password is never given back."""
        return {
            "id": self.id,
            "endpointUrl": self.url,
            "eventTypes": self.event_types,
            "status": "ACTIVE" if self.active else "INACTIVE",
            "customHeaders": self.headers,
            "endpointAuth": {"type": "BASIC" if self.basic else "NONE"},
            "createdAt": as_text(self.created_at),
            "updatedAt": as_text(self.updated_at),
        }


@dataclass(slots=True)
class Subscriptions:
    """All subscriptions, by id."""

    company_id: str
    by_id: dict[str, Subscription] = field(default_factory=dict)
    created: int = 0

    def create(self, request: Json, now: float) -> Subscription:
        """Make a subscription with a secret of its own."""
        self.created += 1
        subscription = Subscription(
            id=str(uuid4()),
            number=self.created,
            url="",
            event_types=[],
            active=True,
            headers={},
            basic=None,
            secret="whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
            created_at=now,
            updated_at=now,
        )
        self.by_id[subscription.id] = subscription
        self._replace(subscription, request, now, "CREATE")
        return subscription

    def find(self, subscription_id: str) -> Subscription:
        """Give a subscription.

        Raises:
            Refusal: 404, there is none with this id.

        """
        subscription = self.by_id.get(subscription_id.lower())
        if subscription is None:
            raise no_such_record()
        return subscription

    def update(self, subscription_id: str, request: Json, now: float) -> Subscription:
        """Replace a subscription's settings; its secret stays.

        Raises:
            Refusal: 404, there is none with this id.

        """
        subscription = self.find(subscription_id)
        self._replace(subscription, request, now, "UPDATE")
        return subscription

    def delete(self, subscription_id: str) -> None:
        """Remove a subscription.

        Raises:
            Refusal: 404, there is none with this id.

        """
        del self.by_id[self.find(subscription_id).id]

    def listening(self, event_type: str) -> list[Subscription]:
        """Give the active subscriptions to an event."""
        return [each for each in self.by_id.values() if each.active and event_type in each.event_types]

    def _replace(self, subscription: Subscription, request: Json, now: float, operation: str) -> None:
        subscription.url = request["endpointUrl"]
        subscription.event_types = list(request["eventTypes"])
        subscription.active = request.get("status", "ACTIVE") == "ACTIVE"
        subscription.headers = dict(request.get("customHeaders", {}))
        auth = request.get("endpointAuth", {})
        known = auth.get("credentials", {})
        basic = auth.get("type") == "BASIC"
        subscription.basic = [known.get("username", ""), known.get("password", "")] if basic else None
        subscription.updated_at = now
        subscription.activities.append(
            {
                "id": str(uuid4()),
                "subscriptionId": subscription.id,
                "operationType": operation,
                "description": f"Subscription {operation.lower()}d.",
                "actorUrn": f"urn:pleo:company:{self.company_id}",
                "createdAt": as_text(now),
            }
        )

    def dump(self) -> Json:
        """Give everything as JSON, for the state file alone."""
        return {"created": self.created, "all": [asdict(each) for each in self.by_id.values()]}

    @classmethod
    def load(cls, saved: Json, company_id: str) -> Self:
        """Take up what `dump` gave."""
        found = {each["id"]: Subscription(**each) for each in saved["all"]}
        return cls(company_id=company_id, by_id=found, created=saved["created"])
