"""Webhook deliveries: signed as Standard Webhooks, sent in the background, recorded (L103-L107)."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from .received import masked_url
from .schemas import Json
from .subscriptions import Subscription, Subscriptions

_OWN_HEADERS = {"content-type", "webhook-id", "webhook-timestamp", "webhook-signature"}


@dataclass(slots=True)
class Delivery:
    """One message to one subscription, with every attempt made.

    Attributes:
        state: `sending`, `delivered`, `failed`, or `refused` when the URL is not http(s).
        attempts: for each, the status received or the kind of error; never the answer's body.

    """

    message_id: str
    subscription_id: str
    event_type: str
    url: str
    body: Json
    state: str = "sending"
    attempts: list[Json] = field(default_factory=list)

    def describe(self) -> Json:
        """Give the delivery as the control API tells it."""
        return {
            "messageId": self.message_id,
            "subscriptionId": self.subscription_id,
            "eventType": self.event_type,
            "endpointUrl": masked_url(self.url),
            "body": self.body,
            "state": self.state,
            "attempts": self.attempts,
        }


class Deliveries:
    """Sends deliveries without ever holding up or breaking the API; keeps the last thousand.

    Times here are real ones: receivers hold the signed timestamp against their own clock (L108).
    """

    def __init__(self, deadline_seconds: float, pauses_seconds: tuple[float, ...]) -> None:
        self._deadline = deadline_seconds
        self._pauses = pauses_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self.recorded: deque[Delivery] = deque(maxlen=1000)

    def send(self, event_type: str, data: Json, subscriptions: Subscriptions) -> None:
        """Start one delivery to each active subscription; without a running server they just fail."""
        for subscription in subscriptions.listening(event_type):
            delivery = Delivery(
                message_id="msg_" + secrets.token_hex(12),
                subscription_id=subscription.id,
                event_type=event_type,
                url=subscription.url,
                body={"data": data, "eventId": str(uuid4()), "eventType": event_type},
            )
            self.recorded.append(delivery)
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                delivery.state = "failed"
                continue
            task = loop.create_task(self._deliver(delivery, subscription))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def clear(self) -> None:
        """Forget what was delivered and stop what is under way."""
        for task in self._tasks:
            task.cancel()
        self.recorded.clear()

    async def _deliver(self, delivery: Delivery, subscription: Subscription) -> None:
        if urlsplit(delivery.url).scheme.lower() not in {"http", "https"}:
            delivery.state = "refused"
            return
        for pause in (0.0, *self._pauses):
            await asyncio.sleep(pause)
            outcome = await self._attempt(delivery, subscription)
            delivery.attempts.append(outcome)
            if 200 <= (outcome["status"] or 0) < 300:
                delivery.state = "delivered"
                return
        delivery.state = "failed"

    async def _attempt(self, delivery: Delivery, subscription: Subscription) -> Json:
        """Send once; whatever goes wrong becomes part of the record and nothing else."""
        begun = datetime.now(UTC)
        outcome: Json = {"at": begun.strftime("%Y-%m-%dT%H:%M:%SZ"), "status": None, "error": None}
        try:
            body = json.dumps(delivery.body, separators=(",", ":"))
            headers = signed_headers(subscription, delivery.message_id, begun, body)
            # A drip of bytes outlives httpx's own time-outs, so the whole call has a deadline as well.
            async with (
                asyncio.timeout(self._deadline),
                httpx.AsyncClient(timeout=self._deadline, trust_env=False) as client,
                client.stream("POST", delivery.url, content=body, headers=headers) as response,
            ):
                outcome["status"] = response.status_code
        except Exception as fault:  # noqa: BLE001 - any failure at all is just recorded
            outcome["error"] = type(fault).__name__
        return outcome


def signed_headers(
    subscription: Subscription, message_id: str, moment: datetime, body: str
) -> dict[str, str]:
    """Give the headers of a delivery: signature (L107), Basic and custom headers when asked for (L105)."""
    headers = {name: text for name, text in subscription.headers.items() if name.lower() not in _OWN_HEADERS}
    if subscription.basic is not None:
        pair = ":".join(subscription.basic).encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return headers | {
        "content-type": "application/json;charset=UTF-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(subscription.secret).sign(message_id, moment, body),
    }
