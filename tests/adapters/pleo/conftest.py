"""An embedded Pleo for each test, and a server in front of it whose answers a test may script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from adapters.pleo.client import PleoClient
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import PleoSettings
from adapters.retry import RetryPolicy
from tests.support.scripted_server import ScriptedServer

QUICK = RetryPolicy(attempts=3, budget=3, first_wait=0.02, longest_wait=0.1)


@pytest.fixture
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture
def between(pleo: EmbeddedPleo) -> Iterator[ScriptedServer]:
    with ScriptedServer(upstream=pleo.base_url) as server:
        yield server


@pytest.fixture
def connected(pleo: EmbeddedPleo) -> Callable[..., PleoClient]:
    """Make a client for an address, with the API key unless other credentials are given."""

    def client(base_url: str = pleo.base_url, **credentials: object) -> PleoClient:
        values = {
            "base_url": base_url,
            "call_deadline_seconds": 3,
            **(credentials or {"api_key": pleo.api_key}),
        }
        return PleoClient(PleoSettings.model_validate(values), UUID(str(pleo.company_id)), policy=QUICK)

    return client
