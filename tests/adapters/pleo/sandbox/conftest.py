"""One embedded Pleo for all tests of it, as new for each of them, and a caller with its API key."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo, SandboxSettings
from tests.adapters.pleo.sandbox.calls import caller


@pytest.fixture(scope="session")
def served() -> Iterator[EmbeddedPleo]:
    # Pauses before repeated deliveries are shorter than usual: tests wait for them.
    with EmbeddedPleo(settings=SandboxSettings(delivery_pauses_seconds=(0.02, 0.02))) as server:
        yield server


@pytest.fixture
def pleo(served: EmbeddedPleo) -> Iterator[EmbeddedPleo]:
    served.reset()
    yield served
    served.clear_faults()


@pytest.fixture
def api(pleo: EmbeddedPleo) -> Iterator[httpx.Client]:
    with caller(pleo, auth=(pleo.api_key, "")) as client:
        yield client


@pytest.fixture
def anyone(pleo: EmbeddedPleo) -> Iterator[httpx.Client]:
    """A caller without a credential: the control API, links, and refusals."""
    with caller(pleo) as client:
        yield client
