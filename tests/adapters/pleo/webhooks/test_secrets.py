"""The secret that Pleo signs with, and reading it again when deliveries do not verify (U48)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest
from pydantic import ValidationError

from adapters.pleo.client import PleoClient
from adapters.pleo.errors import PleoUnavailable
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import PleoSettings
from adapters.pleo.subscriptions import SubscriptionClient
from adapters.pleo.webhooks import company as company_module
from tests.adapters.pleo.webhooks.receiving import Receiving, company
from tests.support.deliveries import SECRET, Delivery, new_secret

ROTATED = new_secret("rotated")


class Source:
    """Where secrets are read from; counts how often."""

    def __init__(self, *secrets: str, seconds: float = 0, fails: int = 0) -> None:
        self.secrets, self.seconds, self.fails, self.asked = secrets, seconds, fails, 0

    async def __call__(self) -> Sequence[str]:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.fails >= self.asked:
            raise ConnectionError
        return self.secrets


def test_a_rotated_secret_is_read_once_and_the_old_one_ends() -> None:
    source = Source(ROTATED)
    with Receiving([company(renewal=source)]) as receiving:
        assert Delivery().post(receiving.url).status_code == 204
        assert source.asked == 0
        assert Delivery(secret=ROTATED).post(receiving.url).status_code == 204
        assert Delivery(secret=ROTATED).post(receiving.url).status_code == 204
        assert source.asked == 1
        assert Delivery().post(receiving.url).status_code == 401, "the old one is Pleo's no more"


def test_forged_deliveries_have_it_read_at_most_once_in_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(SECRET)
    with Receiving([company(renewal=source)]) as receiving:
        for _ in range(10):
            assert Delivery(secret=ROTATED).post(receiving.url).status_code == 401
        assert source.asked == 1
        source.secrets = (ROTATED,)
        monkeypatch.setattr(company_module, "RENEWAL_PAUSE_SECONDS", 0)  # five minutes later
        assert Delivery(secret=ROTATED).post(receiving.url).status_code == 204


def test_a_reading_that_fails_leaves_the_known_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company_module, "RENEWAL_PAUSE_SECONDS", 0)
    source = Source(ROTATED, fails=1)
    with Receiving([company(renewal=source)]) as receiving:
        assert Delivery(secret=ROTATED).post(receiving.url).status_code == 401
        assert Delivery().post(receiving.url).status_code == 204
        assert Delivery(secret=ROTATED).post(receiving.url).status_code == 204


def test_a_slow_reading_is_not_waited_for() -> None:
    source = Source(ROTATED, seconds=1.5)
    with Receiving([company(renewal=source)]) as receiving:
        begun = time.monotonic()
        first = Delivery(secret=ROTATED)
        assert first.post(receiving.url).status_code == 503, "not 401: it is not known yet"
        assert time.monotonic() - begun < 1.0
        assert Delivery().post(receiving.url).status_code == 204, "others do not wait for it"
        time.sleep(0.8)
        assert first.post(receiving.url).status_code == 204
        assert source.asked == 1


@pytest.fixture
def subscriptions(pleo: EmbeddedPleo, connected: Callable[..., PleoClient]) -> SubscriptionClient:
    known = connected()
    settings = PleoSettings.model_validate({"base_url": pleo.base_url, "api_key": pleo.api_key})
    return SubscriptionClient(settings, known.company_id, policy=known.policy)


async def test_one_subscription_for_a_url_however_often_it_is_asked_for(
    pleo: EmbeddedPleo, subscriptions: SubscriptionClient
) -> None:
    async with subscriptions as client:
        first, created = await client.subscribe("https://hooks.example/webhook", None)
        again, created_again = await client.subscribe("https://hooks.example/webhook", None)
        other, _ = await client.subscribe("https://hooks.example/other", None)
        assert (created, created_again, again.id) == (True, False, first.id)
        assert [each.id for each in await client.list_subscriptions()] == [first.id, other.id]
        assert await client.secrets() == [await client.secret_of(each) for each in (first, other)]


async def test_a_creation_whose_answer_was_lost_is_found(
    pleo: EmbeddedPleo, subscriptions: SubscriptionClient
) -> None:
    pleo.inject(kind="close_after", operation="createSubscription", times=1)
    async with subscriptions as client:
        with pytest.raises(PleoUnavailable):
            await client.subscribe("https://hooks.example/webhook", None)
        _, created = await client.subscribe("https://hooks.example/webhook", None)
        assert not created
        assert len(await client.list_subscriptions()) == 1


async def test_a_subscription_that_went_inactive_is_made_active_again(
    pleo: EmbeddedPleo, subscriptions: SubscriptionClient
) -> None:
    # U47
    async with subscriptions as client:
        first, _ = await client.subscribe("https://hooks.example/webhook", None)
        request = {"endpointUrl": first.endpoint_url, "eventTypes": first.event_types, "status": "INACTIVE"}
        await client._write("PUT", f"/v1/subscriptions/{first.id}", request)
        assert await client.secrets() == []
        again, created = await client.subscribe("https://hooks.example/webhook", None)
        assert (again.id, again.active, created) == (first.id, True, False)
        assert len(await client.secrets()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook_secret", "canary"),
        ("webhook_secret", "whsec_"),
        ("webhook_secret", "whsec_canaryä"),
        ("webhook_secret", f"{SECRET} canary"),
        ("webhook_secret", " "),
        ("webhook_basic", "canary"),
        ("webhook_basic", ":canary"),
        ("webhook_basic", "user:canary\n"),
    ],
)
def test_secrets_that_cannot_be_meant_are_refused_without_repeating_them(name: str, value: str) -> None:
    good = {"base_url": "https://pleo.example", "api_key": "key"}
    with pytest.raises(ValidationError) as refused:
        PleoSettings.model_validate({**good, name: value})
    assert "paste it again" in str(refused.value) or "user:password" in str(refused.value)
    assert "canary" not in str(refused.value)
    kept = PleoSettings.model_validate({**good, "webhook_secret": f"{SECRET} {ROTATED}"})
    assert kept.webhook_secrets == (SECRET, ROTATED)
    assert SECRET not in repr(kept)
