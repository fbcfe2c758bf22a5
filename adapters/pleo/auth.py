"""How requests to Pleo are authorized: API key, access token, or an OAuth client that renews itself."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Protocol

from pydantic import BaseModel, Field, TypeAdapter

from adapters.faults import HttpFault
from adapters.http import Answer, HttpClient
from adapters.pleo.errors import PleoUnauthorized, PleoUnavailable, TokenFileUnusable, pleo_error
from adapters.pleo.settings import OAuthSettings, PleoSettings
from adapters.pleo.tokens import TokenFile, TokenPair, fingerprint
from adapters.retry import RetryPolicy, attempts

_RENEW_AT_SHARE = 0.8
_RENEW_AHEAD_SECONDS = 60
_LONGEST_LIFE_SECONDS = 100 * 365 * 24 * 3600
"""Beyond this an answer is not believed; a moment without end could not be stored, and the pair were lost."""


class Credentials(Protocol):
    """Supplies the Authorization header, and a better one after a 401 where it can."""

    async def header(self) -> str:
        """Give the value for the next request.

        Raises:
            PleoUnauthorized: there is none any more; a person must act.

        """
        ...

    async def renewed(self, refused: str) -> bool:
        """Whether another value than the refused one is to be had now."""
        ...


class FixedCredentials:
    """An API key or an access token: what is refused once stays refused."""

    def __init__(self, header: str) -> None:
        self._header = header

    async def header(self) -> str:
        """Give the one value there is."""
        return self._header

    async def renewed(self, refused: str) -> bool:
        """Never: a person must act (L113)."""
        return refused != self._header


class _TokenAnswer(BaseModel):
    access_token: str = Field(min_length=1)
    refresh_token: str = Field(min_length=1)
    expires_in: float = Field(gt=0, le=_LONGEST_LIFE_SECONDS, allow_inf_nan=False)


class _TokenError(BaseModel):
    error: str = ""


_TOKEN_ANSWER = TypeAdapter(_TokenAnswer)
_TOKEN_ERROR = TypeAdapter(_TokenError)
_REFUSED_FOR_GOOD = frozenset({400, 401, 403})


class OAuthCredentials:
    """An authorization whose two tokens are replaced ahead of their end, by one refresh at a time (L7-L11).

    Args:
        settings: client, first refresh token, token endpoint and token file.
        deadline: seconds for one request to the token endpoint.
        policy: how long a refresh is repeated after transient faults.
        now: the clock, as Unix time.

    """

    def __init__(
        self,
        settings: OAuthSettings,
        *,
        deadline: float,
        policy: RetryPolicy,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._deadline = deadline
        self._policy = policy
        self._now = now
        self._seed = fingerprint(settings.refresh_token.get_secret_value())
        self._file = TokenFile(settings.token_file, settings.client_secret.get_secret_value())
        self._pair: TokenPair | None = None
        self._refreshing = asyncio.Lock()

    async def header(self) -> str:
        """Give a token that is not about to end, refreshing first where that is due."""
        pair = self._pair or self._stored()
        if pair is None or self._now() >= pair.renew_at:
            pair = await self._refresh(stale=pair)
        self._pair = pair
        return f"Bearer {pair.access_token}"

    async def renewed(self, refused: str) -> bool:
        """Refresh, unless someone else has done so since the refused token was handed out."""
        pair = self._pair
        if pair is None or refused == f"Bearer {pair.access_token}":
            self._pair = await self._refresh(stale=pair)
        return True

    async def _refresh(self, stale: TokenPair | None) -> TokenPair:
        """Bring a pair newer than the stale one; others wait for it and use it."""
        try:
            async with self._refreshing, self._file.locked(self._policy.budget + self._deadline):
                stored = self._stored()
                if stored and (stale is None or stored.access_token != stale.access_token):
                    if self._now() < stored.renew_at:
                        return stored
                    stale = stored
                pair = await self._request(
                    stale.refresh_token if stale else self._settings.refresh_token.get_secret_value()
                )
                self._file.store(pair)
                return pair
        except TimeoutError:
            raise PleoUnavailable("another process is renewing the tokens") from None
        except OSError as error:
            raise TokenFileUnusable(f"the token file cannot be used: {error.strerror}") from None

    async def _request(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair, which makes the old one worthless (L8)."""
        secret = self._settings.client_secret.get_secret_value()
        basic = base64.b64encode(f"{self._settings.client_id}:{secret}".encode()).decode()
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        asked_at = self._now()
        # Asking again after a lost answer loses nothing: if the first request arrived, the pair that it
        # brought is lost already (U43).
        try:
            async with HttpClient(self._settings.token_url, deadline=self._deadline) as http:
                async for attempt in attempts(self._policy):
                    with attempt:
                        asked_at = self._now()
                        answer = await http.request(
                            "POST",
                            self._settings.token_url,
                            form=form,
                            headers={"authorization": f"Basic {basic}"},
                        )
                        if answer.status in _REFUSED_FOR_GOOD:
                            raise self._refused(answer)
                        tokens = answer.expect_success().parse(_TOKEN_ANSWER)
        except HttpFault as fault:
            raise pleo_error(fault) from None
        life = tokens.expires_in
        return TokenPair(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=asked_at + life,
            renew_at=asked_at + min(life * _RENEW_AT_SHARE, max(life - _RENEW_AHEAD_SECONDS, 0.0)),
            seed=self._seed,
        )

    def _refused(self, answer: Answer) -> PleoUnauthorized:
        """Note an authorization that has ended, so that its dead token is never presented again (L9, L11)."""
        try:
            code = answer.parse(_TOKEN_ERROR).error
        except HttpFault:
            code = ""
        if code == "invalid_grant":
            self._file.store_lost(self._seed)
        return PleoUnauthorized(f"the token endpoint answered HTTP {answer.status}")

    def _stored(self) -> TokenPair | None:
        """Read the pair that descends from the settings' refresh token.

        Raises:
            PleoUnauthorized: its authorization has ended.

        """
        try:
            pair = self._file.load()
        except OSError as error:
            raise TokenFileUnusable(f"the token file cannot be used: {error.strerror}") from None
        if pair is None or pair.seed != self._seed:
            return None
        if pair.lost:
            raise PleoUnauthorized("the authorization has ended")
        return pair


def credentials_for(settings: PleoSettings, policy: RetryPolicy) -> Credentials:
    """Make the credentials that the settings name: exactly one kind is set."""
    if settings.api_key:
        basic = base64.b64encode(f"{settings.api_key.get_secret_value()}:".encode()).decode()
        return FixedCredentials(f"Basic {basic}")
    if settings.access_token:
        return FixedCredentials(f"Bearer {settings.access_token.get_secret_value()}")
    if settings.oauth:
        return OAuthCredentials(settings.oauth, deadline=settings.call_deadline_seconds, policy=policy)
    raise AssertionError("settings are validated to name one kind of credentials")
