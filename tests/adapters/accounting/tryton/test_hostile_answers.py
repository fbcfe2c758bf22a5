"""Whatever Tryton answers, checks and booking end as documented, in time, and nothing is booked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.adapters.accounting.tryton.conftest import Connection, Ledger
from tests.adapters.accounting.tryton.entries import an_entry
from tests.support.spoiling_proxy import Spoiling, SpoilingProxy, spoilings
from tests.support.spoilt_booking import booked
from tests.support.tryton_server import TrytonServer

DEADLINE = 5.0

few = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def before_tryton(tryton: TrytonServer) -> Iterator[SpoilingProxy]:
    with SpoilingProxy(tryton.url) as proxy:
        yield proxy


async def booked_in_tryton(connection: Connection, proxy: SpoilingProxy, spoiling: Spoiling) -> None:
    async with connection.but(url=proxy.origin, deadline=DEADLINE).system() as system:
        await booked(system, proxy, spoiling, an_entry(), DEADLINE)


@few
@given(spoiling=spoilings)
def test_answers_of_tryton(ledger: Ledger, before_tryton: SpoilingProxy, spoiling: Spoiling) -> None:
    asyncio.run(booked_in_tryton(ledger.connection, before_tryton, spoiling))


@pytest.mark.long
@pytest.mark.timeout(1200)
@many
@given(spoiling=spoilings)
def test_more_answers_of_tryton(ledger: Ledger, before_tryton: SpoilingProxy, spoiling: Spoiling) -> None:
    asyncio.run(booked_in_tryton(ledger.connection, before_tryton, spoiling))
