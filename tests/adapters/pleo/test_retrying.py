"""How calls to Pleo are repeated: what is worth it, how long is waited, and that it ends (L112, U38)."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from adapters.pleo import errors
from adapters.pleo.client import PleoClient
from adapters.pleo.models import JobStatus
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import PleoSettings
from adapters.retry import RetryPolicy
from tests.support import steps
from tests.support.scripted_server import ScriptedServer

POLICY = RetryPolicy(attempts=4, budget=5, first_wait=0.05, longest_wait=1.2)


def client(pleo: EmbeddedPleo, between: ScriptedServer, policy: RetryPolicy = POLICY) -> PleoClient:
    settings = PleoSettings(base_url=between.url(), api_key=pleo.api_key, call_deadline_seconds=2)
    return PleoClient(settings, UUID(str(pleo.company_id)), policy=policy)


async def seconds_to_list(client: PleoClient) -> float:
    begun = time.monotonic()
    async with client:
        await client.list_jobs([JobStatus.PENDING])
    return time.monotonic() - begun


@pytest.mark.parametrize(
    "step", [steps.answer(503), steps.throttled(), steps.hang_up(), steps.reset_in_body()]
)
async def test_what_passes_is_repeated(pleo, between, step) -> None:
    between.play(step, step)
    await seconds_to_list(client(pleo, between))
    assert [request.step for request in between.requests] == [step.name, step.name, "upstream"]


@pytest.mark.parametrize("as_date", [False, True])
async def test_the_wait_that_is_asked_for_is_kept(pleo, between, as_date: bool) -> None:
    # A date has whole seconds, so up to one second of the wait is lost on the way.
    between.play(steps.throttled(2 if as_date else 1, as_date=as_date))
    assert 0.9 <= await seconds_to_list(client(pleo, between)) < 2.5


async def test_a_wait_beyond_the_cap_is_cut(pleo, between) -> None:
    between.play(steps.throttled(3600))
    assert 1.1 <= await seconds_to_list(client(pleo, between)) < 2.5


async def test_a_wait_beyond_the_budget_ends_the_call_at_once(pleo, between) -> None:
    impatient = RetryPolicy(attempts=4, budget=0.5, first_wait=0.05, longest_wait=60)
    between.play(steps.throttled(30))
    begun = time.monotonic()
    with pytest.raises(errors.PleoThrottled):
        await seconds_to_list(client(pleo, between, impatient))
    assert time.monotonic() - begun < 0.4
    await seconds_to_list(client(pleo, between, impatient))


async def test_repeating_ends(pleo, between) -> None:
    between.play_on(steps.answer(502))
    with pytest.raises(errors.PleoUnavailable, match="HTTP 502"):
        await seconds_to_list(client(pleo, between))
    assert len(between.requests) == POLICY.attempts
    between.heal()
    await seconds_to_list(client(pleo, between))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413])
async def test_what_does_not_pass_is_asked_once(pleo, between, status: int) -> None:
    between.play(steps.answer(status, b"{}"))
    with pytest.raises(errors.PleoError):
        await seconds_to_list(client(pleo, between))
    assert len(between.requests) == 1
    await seconds_to_list(client(pleo, between))


@pytest.mark.parametrize("status", [200, 204])
async def test_no_body_means_no_jobs(pleo, between, status: int) -> None:
    between.play(steps.answer(status))
    async with client(pleo, between) as asking:
        assert await asking.list_jobs([JobStatus.PENDING]) == []
