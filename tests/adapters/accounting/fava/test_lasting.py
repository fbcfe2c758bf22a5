"""Fava goes on answering, however long it has been up."""

from __future__ import annotations

from uuid import UUID

from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.errors import read_errors
from adapters.accounting.fava.lookup import look_up
from tests.adapters.accounting.fava.checking import AMPLE
from tests.support.fava_server import SLUG, FavaServer

REQUESTS = 1100
"""Queries in Beancount's language were answered 500 from the 970th on, until Fava was restarted."""


async def test_more_requests_than_fava_answers_queries(fava: FavaServer) -> None:
    client = FavaClient(fava.origin, user=None, deadline=AMPLE)
    booked = UUID(int=0)  # its link is cut short in the ledger: it must not be taken for this one
    try:
        for _ in range(REQUESTS):
            assert await look_up(client, f"/{SLUG}", [booked]) == {}
        assert (await read_errors(client, f"/{SLUG}")).assertions == frozenset()
    finally:
        await client.aclose()
