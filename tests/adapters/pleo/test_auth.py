"""Credentials for Pleo: fixed ones, and OAuth tokens that replace themselves (L4, L5, L7-L11, L113)."""

from __future__ import annotations

import asyncio
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from adapters.pleo import errors
from adapters.pleo.auth import OAuthCredentials
from adapters.pleo.client import PleoClient
from adapters.pleo.models import JobStatus
from adapters.pleo.sandbox import defaults as sandbox
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import OAuthSettings, PleoSettings
from adapters.pleo.tokens import TokenFile, TokenPair
from tests.adapters.pleo.conftest import QUICK
from tests.support import steps
from tests.support.scripted_server import ScriptedServer


@dataclass
class Clock:
    """Unix time that a test moves."""

    ahead: float = 0.0
    start: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return time.time() + self.ahead


def oauth(base_url: str, folder: Path, **changes: object) -> OAuthSettings:
    values: dict[str, object] = {
        "client_id": sandbox.CLIENT_ID,
        "client_secret": sandbox.CLIENT_SECRET,
        "refresh_token": sandbox.REFRESH_TOKEN,
        "token_url": f"{base_url}/oauth/token",
        "token_file": folder / "tokens",
        **changes,
    }
    return OAuthSettings.model_validate(values)


def credentials(settings: OAuthSettings, clock: Clock | None = None) -> OAuthCredentials:
    return OAuthCredentials(settings, deadline=3, policy=QUICK, now=clock or Clock())


def client(pleo: EmbeddedPleo, base_url: str, **credential: object) -> PleoClient:
    settings = PleoSettings.model_validate({"base_url": base_url, "call_deadline_seconds": 3, **credential})
    return PleoClient(settings, UUID(str(pleo.company_id)), policy=QUICK)


def refreshes(between: ScriptedServer) -> int:
    return sum(request.path == "/oauth/token" for request in between.requests)


@pytest.mark.parametrize("kind", ["api_key", "access_token"])
async def test_both_kinds_of_fixed_credentials_are_accepted(pleo: EmbeddedPleo, kind: str) -> None:
    async with client(pleo, pleo.base_url, **{kind: getattr(pleo, kind)}) as accepted:
        await accepted.list_jobs([JobStatus.PENDING])
    async with client(pleo, pleo.base_url, **{kind: "another"}) as refused:
        with pytest.raises(errors.PleoUnauthorized):
            await refused.list_jobs([JobStatus.PENDING])


async def test_a_refused_key_is_asked_once(pleo: EmbeddedPleo, between: ScriptedServer) -> None:
    async with client(pleo, between.url(), api_key="another") as refused:
        with pytest.raises(errors.PleoUnauthorized):
            await refused.list_jobs([JobStatus.PENDING])
    assert len(between.requests) == 1


async def test_both_new_tokens_are_on_the_disk_before_use(between: ScriptedServer, tmp_path: Path) -> None:
    settings = oauth(between.url(), tmp_path)
    header = await credentials(settings).header()
    sealed = settings.token_file.read_bytes()
    pair = TokenFile(settings.token_file, sandbox.CLIENT_SECRET).load()
    assert pair is not None
    assert header == f"Bearer {pair.access_token}"
    assert pair.refresh_token != sandbox.REFRESH_TOKEN
    assert stat.S_IMODE(settings.token_file.stat().st_mode) == 0o600
    for secret in (pair.access_token, pair.refresh_token, sandbox.CLIENT_SECRET, sandbox.REFRESH_TOKEN):
        assert secret.encode() not in sealed
        assert secret not in repr(pair)
    assert TokenFile(settings.token_file, "another secret").load() is None


async def test_one_refresh_is_in_flight(between: ScriptedServer, tmp_path: Path) -> None:
    settings = oauth(between.url(), tmp_path)
    runs = [credentials(settings) for _ in range(3)]  # as three processes would: they share the file only
    headers = await asyncio.gather(*(run.header() for run in runs for _ in range(5)))
    assert len(set(headers)) == 1
    assert refreshes(between) == 1


async def test_tokens_are_renewed_ahead_of_their_end(between: ScriptedServer, tmp_path: Path) -> None:
    clock = Clock()
    held = credentials(oauth(between.url(), tmp_path), clock)
    first = await held.header()
    clock.ahead = 0.79 * 3600
    assert await held.header() == first
    clock.ahead = 0.81 * 3600
    assert await held.header() != first
    assert refreshes(between) == 2


async def test_a_401_renews_once_and_repeats_once(
    pleo: EmbeddedPleo, between: ScriptedServer, tmp_path: Path
) -> None:
    async with client(pleo, between.url(), oauth=oauth(between.url(), tmp_path)) as held:
        await held.list_jobs([JobStatus.PENDING])
        between.requests.clear()
        between.play(steps.unauthorized())
        await held.list_jobs([JobStatus.PENDING])
        assert [r.path.partition("?")[0] for r in between.requests] == [
            "/v3/export-jobs",
            "/oauth/token",
            "/v3/export-jobs",
        ]


async def test_a_lasting_401_ends_after_one_renewal(
    pleo: EmbeddedPleo, between: ScriptedServer, tmp_path: Path
) -> None:
    async with client(pleo, between.url(), oauth=oauth(pleo.base_url, tmp_path)) as held:
        between.play_on(steps.unauthorized())
        with pytest.raises(errors.PleoUnauthorized):
            await held.list_jobs([JobStatus.PENDING])
        assert len(between.requests) == 2
        between.heal()
        await held.list_jobs([JobStatus.PENDING])


async def test_a_passing_fault_of_the_token_endpoint_is_waited_out(
    between: ScriptedServer, tmp_path: Path
) -> None:
    between.play(steps.answer(503), steps.throttled(), steps.hang_up())
    with pytest.raises(errors.PleoUnavailable):
        await credentials(oauth(between.url(), tmp_path)).header()
    assert refreshes(between) == QUICK.attempts
    assert (await credentials(oauth(between.url(), tmp_path)).header()).startswith("Bearer ")


async def test_an_ended_authorization_is_never_presented_again(
    pleo: EmbeddedPleo, between: ScriptedServer, tmp_path: Path
) -> None:
    dead = oauth(between.url(), tmp_path, refresh_token="a-dead-refresh-token")
    with pytest.raises(errors.PleoUnauthorized):
        await credentials(dead).header()
    for _ in range(3):
        with pytest.raises(errors.PleoUnauthorized):
            await credentials(dead).header()
    assert refreshes(between) == 1
    pleo.reset()  # what a new authorization by a person does: a refresh token that is good
    assert (await credentials(oauth(between.url(), tmp_path)).header()).startswith("Bearer ")


async def test_a_wrong_client_is_no_end_of_the_authorization(between: ScriptedServer, tmp_path: Path) -> None:
    between.play(steps.answer(401, b'{"error": "invalid_client"}'))
    settings = oauth(between.url(), tmp_path)
    with pytest.raises(errors.PleoUnauthorized):
        await credentials(settings).header()
    assert (await credentials(settings).header()).startswith("Bearer ")


async def test_nothing_is_asked_if_the_new_pair_could_not_be_kept(
    between: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(errors.TokenFileUnusable):
        await credentials(oauth(between.url(), tmp_path, token_file=tmp_path / "file" / "tokens")).header()
    assert refreshes(between) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"access_token": "a"}',
        b'{"access_token": "a", "refresh_token": "", "expires_in": 60}',
        b'{"access_token": "a", "refresh_token": "b", "expires_in": -1}',
    ],
)
async def test_an_odd_answer_of_the_token_endpoint_is_not_used(
    between: ScriptedServer, tmp_path: Path, body: bytes
) -> None:
    between.play(steps.answer(200, body))
    with pytest.raises(errors.UnusableAnswer):
        await credentials(oauth(between.url(), tmp_path)).header()
    assert not (tmp_path / "tokens").exists()


def test_a_pair_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens", "secret")
    pair = TokenPair(access_token="a", refresh_token="b", expires_at=2, renew_at=1, seed="s")
    file.store(pair)
    file.store(pair.model_copy(update={"access_token": "c"}))
    loaded = file.load()
    assert loaded and loaded.access_token == "c"
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"], "no half-written file is left"
    (tmp_path / "tokens").write_bytes(b"torn")
    assert file.load() is None
