"""Whether a delivery is Pleo's: Standard Webhooks over the raw body, and Basic credentials (L105-L108)."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterable, Mapping

from standardwebhooks import Webhook

TOLERANCE_SECONDS = 300
"""How far `webhook-timestamp` may be from our clock, either way (L108)."""

MOST_ID_CHARACTERS = 256


def usable_secret(secret: str) -> bool:
    """Whether it is a signing secret, `whsec_` and base64 (L106)."""
    try:
        return secret.startswith("whsec_") and bool(Webhook(secret))
    except Exception:  # noqa: BLE001 - the package raises several types, all of them mean no
        return False


def has_signature(headers: Mapping[str, str]) -> bool:
    """Whether the three headers are there, in a form that can be verified at all."""
    message_id, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    return (
        0 < len(message_id) <= MOST_ID_CHARACTERS
        and moment.isascii()
        and moment.isdigit()
        and len(moment) <= 12
        and "," in headers.get("webhook-signature", "")
    )


def in_time(headers: Mapping[str, str]) -> bool:
    """Whether the timestamp of a delivery that `has_signature` is near enough to now."""
    return abs(time.time() - int(headers["webhook-timestamp"])) <= TOLERANCE_SECONDS


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets signed exactly these bytes, just now; compared in constant time."""
    return any(_is_signed_with(secret, headers, body) for secret in secrets)


def _is_signed_with(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except Exception:  # noqa: BLE001 - whatever it raises is a refusal: malformed input has many ways
        return False
    return True


def has_basic(headers: Mapping[str, str], credentials: str) -> bool:
    """Whether the delivery carries these Basic credentials, `user:password` (U46)."""
    expected = b"Basic " + base64.b64encode(credentials.encode())
    return hmac.compare_digest(headers.get("authorization", "").encode(), expected)
