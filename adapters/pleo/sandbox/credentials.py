"""Who may call: API keys, access tokens and the refresh tokens that renew them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import asdict, dataclass, field

from . import defaults
from .refusals import Refusal
from .schemas import Json

API_KEY = "api_key"
ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a kind of credential


@dataclass(slots=True)
class Grant:
    """One pair of tokens, alive together and replaced together (L8).

    Attributes:
        expires_at: end of the access token, Unix seconds; None for the default pair, which lasts.
        refresh_until: end of the refresh token, Unix seconds; None: never.

    """

    access_token: str
    refresh_token: str
    expires_at: float | None
    refresh_until: float | None
    access_revoked: bool = False
    refresh_revoked: bool = False


@dataclass(slots=True)
class Credentials:
    """The credentials that are good just now.

    Attributes:
        spent: refresh tokens that were once good; presenting one has consequences (L9).

    """

    api_keys: set[str] = field(default_factory=lambda: {defaults.API_KEY})
    grants: list[Grant] = field(
        default_factory=lambda: [Grant(defaults.ACCESS_TOKEN, defaults.REFRESH_TOKEN, None, None)]
    )
    clients: dict[str, str] = field(default_factory=lambda: {defaults.CLIENT_ID: defaults.CLIENT_SECRET})
    spent: set[str] = field(default_factory=set)

    def recognise(self, authorization: str | None, now: float) -> str | None:
        """Give the kind of the credential in an `Authorization` header, None when it is not good (L4, L5)."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            token = value.strip()
            alive = any(grant.access_token == token and _access_alive(grant, now) for grant in self.grants)
            return ACCESS_TOKEN if alive else None
        user, password = read_basic(authorization) or ("", "")
        return API_KEY if user in self.api_keys and not password else None

    def refresh(self, token: str, now: float, lifetime: int, refresh_lifetime: int) -> Grant | None:
        """Exchange a refresh token for a new pair; the old pair is dead from then on (L8).

        Gives None for a token that is not good. Was it good once, every active refresh token dies (L9).
        """
        for grant in self.grants:
            if grant.refresh_token == token and _refresh_alive(grant, now):
                self.grants.remove(grant)
                self.spent.add(token)
                return self.issue(now, lifetime, refresh_lifetime)
        if token in self.spent or any(grant.refresh_token == token for grant in self.grants):
            for grant in self.grants:
                self.spent.add(grant.refresh_token)
                grant.refresh_revoked = True
        return None

    def issue(self, now: float, lifetime: int, refresh_lifetime: int) -> Grant:
        """Make a new pair, as an authorization by the user would."""
        grant = Grant(
            access_token="at_" + secrets.token_urlsafe(24),
            refresh_token="rt_" + secrets.token_urlsafe(24),
            expires_at=now + lifetime,
            refresh_until=now + refresh_lifetime,
        )
        self.grants.append(grant)
        return grant

    def revoke_access_tokens(self) -> None:
        """Make every access token die; refresh tokens stay good."""
        for grant in self.grants:
            grant.access_revoked = True

    def revoke_refresh_tokens(self) -> None:
        """Make every refresh token die, as when a user withdraws the authorization (L11)."""
        for grant in self.grants:
            self.spent.add(grant.refresh_token)
            grant.refresh_revoked = True

    def dump(self) -> Json:
        """Give everything as JSON, for the state file alone."""
        return {
            "apiKeys": sorted(self.api_keys),
            "clients": self.clients,
            "spent": sorted(self.spent),
            "grants": [asdict(grant) for grant in self.grants],
        }

    @classmethod
    def load(cls, saved: Json) -> Credentials:
        """Take up what `dump` gave."""
        return cls(
            api_keys=set(saved["apiKeys"]),
            clients=dict(saved["clients"]),
            spent=set(saved["spent"]),
            grants=[Grant(**grant) for grant in saved["grants"]],
        )


def read_basic(authorization: str | None) -> tuple[str, str] | None:
    """Read user name and password of HTTP Basic; None when the header is no such thing."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:  # not base64, not even ASCII, or not UTF-8 inside
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def unauthorized() -> Refusal:
    """401: credential absent, malformed, expired or wrong (L113)."""
    return Refusal(
        401,
        "UNAUTHORIZED",
        "The credential is absent or not valid.",
        {"WWW-Authenticate": 'Bearer realm="pleo", Basic realm="pleo"'},
    )


def _access_alive(grant: Grant, now: float) -> bool:
    return not grant.access_revoked and (grant.expires_at is None or now < grant.expires_at)


def _refresh_alive(grant: Grant, now: float) -> bool:
    return not grant.refresh_revoked and (grant.refresh_until is None or now < grant.refresh_until)
