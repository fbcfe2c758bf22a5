"""Takes our own credentials out of what a server answers: some repeat the request in their error pages.

What a refusal says goes on to people, to Pleo and to Prefect; so it must not hold what we signed in with.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST_PART = 12
"""Characters in a row of a credential that already say too much."""

_SHORTEST = 6
"""Characters of a credential that is looked for as a whole; a shorter one would be found in any text."""

MASK = b"***"


def without_credentials(body: bytes, authorization: str | None) -> bytes:
    """Mask the credentials of an `Authorization` header in a body, in any form, and parts of them."""
    if not body or not authorization:
        return body
    for secret in _secrets_of(authorization):
        for form in _forms_of(secret):
            body = _without(body, form)
    return body


def _secrets_of(authorization: str) -> Iterator[str]:
    """Give the credential as it was sent and, of Basic credentials, user and password as they are."""
    scheme, _, sent = authorization.partition(" ")
    yield sent
    if scheme.lower() != "basic":
        return
    try:
        pair = base64.b64decode(sent, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    user, _, password = pair.partition(":")
    yield pair
    yield password or user  # an API key of Pleo is sent as the user, without a password


def _forms_of(secret: str) -> Iterator[bytes]:
    if len(secret) < _SHORTEST:
        return
    plain = secret.encode()
    forms = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        html.escape(secret),
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        plain.hex(),
        base64.b64encode(plain).decode(),
        base64.urlsafe_b64encode(plain).decode(),
    }
    for form in sorted(forms, key=len, reverse=True):
        yield form.encode()


def _without(body: bytes, form: bytes) -> bytes:
    """Mask a form wherever it stands, whole or as a part of `SHORTEST_PART` characters or more."""
    size = min(SHORTEST_PART, len(form))
    parts = {form[start : start + size].lower() for start in range(len(form) - size + 1)}
    lowered, marks = body.lower(), bytearray(len(body))
    found = False
    for part in parts:
        at = lowered.find(part)
        while at >= 0:
            found = True
            marks[at : at + size] = b"\x01" * size
            at = lowered.find(part, at + 1)
    if not found:
        return body
    return _masked(body, bytes(marks))


def _masked(body: bytes, marks: bytes) -> bytes:
    kept, end = [], 0
    for run in re.finditer(rb"\x01+", marks):
        kept += [body[end : run.start()], MASK]
        end = run.end()
    return b"".join([*kept, body[end:]])
