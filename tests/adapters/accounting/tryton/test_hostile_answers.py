"""Whatever Tryton answers, checks and booking end as documented, in time, and nothing is booked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from adapters.accounting.tryton.records import Period
from tests.adapters.accounting.tryton.conftest import Connection, Ledger
from tests.adapters.accounting.tryton.entries import an_entry
from tests.support.spoiling_proxy import Spoiling, SpoilingProxy, spoilings
from tests.support.spoilt_booking import booked
from tests.support.tryton_server import TrytonServer

DEADLINE = 5.0

few = settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    "parts",
    [{"year": None, "month": 1, "day": 1}, {"month": 1, "day": 1}, {"year": 10**20, "month": 1, "day": 1}],
)
def test_what_is_no_date_is_an_answer_of_the_wrong_form(parts: dict[str, int | None]) -> None:
    day = {"__class__": "date", "year": 2026, "month": 3, "day": 1}
    with pytest.raises(ValidationError):
        Period.model_validate({"id": 1, "start_date": {"__class__": "date", **parts}, "end_date": day})


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
