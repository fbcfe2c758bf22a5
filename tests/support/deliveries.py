"""Deliveries as Pleo sends them, signed for real, and as others might."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

COMPANY = "9b1f3f52-30c4-4d3e-8f0a-6b0f6ad2c901"
EVENT = "v1.export-job.created"


def new_secret(text: str = "secret-of-a-test") -> str:
    return "whsec_" + base64.b64encode(text.encode()).decode()


SECRET = new_secret()
SENDER = httpx.Client(timeout=15, trust_env=False, verify=False)
"""One for all: to make a client takes longer than a delivery."""


@dataclass
class Delivery:
    """One message; `post` sends it, with headers replaced or (by None) left out."""

    job_id: str = field(default_factory=lambda: str(uuid4()))
    company_id: str = COMPANY
    event_type: str = EVENT
    event_id: str = field(default_factory=lambda: str(uuid4()))
    message_id: str = field(default_factory=lambda: "msg_" + uuid4().hex)
    raw: bytes | None = None
    secret: str = SECRET
    age: float = 0

    @property
    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        data = {"id": self.job_id, "companyId": self.company_id, "status": "pending", "numberOfItems": 3}
        message = {"data": data, "eventId": self.event_id, "eventType": self.event_type}
        return json.dumps(message, separators=(",", ":")).encode()

    @property
    def headers(self) -> dict[str, str]:
        moment = datetime.fromtimestamp(int(time.time() - self.age), tz=UTC)
        return {
            "content-type": "application/json;charset=UTF-8",
            "webhook-id": self.message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(self.message_id, moment, self.body.decode()),
        }

    def post(
        self, url: str, *, changes: dict[str, str | None] | None = None, content: Any = None
    ) -> httpx.Response:
        headers = {
            name: value for name, value in {**self.headers, **(changes or {})}.items() if value is not None
        }
        body = self.body if content is None else content
        return SENDER.post(url, content=body, headers=headers)
