"""Lists are read to their end (L51, L52), and a list without an end is not believed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from adapters.pleo import errors, paging
from adapters.pleo.client import PleoClient
from adapters.pleo.items import fetch_items
from adapters.pleo.models import JobStatus
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.support import steps
from tests.support.scripted_server import ScriptedServer

Connected = Callable[..., PleoClient]


@pytest.mark.parametrize("items", [1, 99, 100, 101, 250])
async def test_every_page_is_read_and_every_item_comes_once(
    pleo: EmbeddedPleo, connected: Connected, items: int
) -> None:
    job = UUID(pleo.create_job(items=items))
    async with connected() as client:
        fetched = await fetch_items(client, job)
    assert len({item.accounting_entry_id for item in fetched.to_book}) == items
    pages = [request for request in pleo.requests() if request["path"] == "/v3/export-items"]
    assert len(pages) == -(-items // paging.PAGE_SIZE)
    assert all(["limit", "100"] in [list(pair) for pair in request["query"]] for request in pages)


async def test_all_jobs_are_listed_whatever_their_number(pleo: EmbeddedPleo, connected: Connected) -> None:
    made = {pleo.create_job(items=1, allow_second=True) for _ in range(130)}
    async with connected() as client:
        listed = await client.list_jobs([JobStatus.PENDING])
    assert {str(job.id) for job in listed} == made


@pytest.mark.parametrize("operation", ["listExportJobs", "listExportJobItems", "listExportItems"])
async def test_a_cursor_that_stands_still_ends_the_list(
    pleo: EmbeddedPleo, connected: Connected, operation: str
) -> None:
    job = UUID(pleo.create_job(items=250))
    if operation == "listExportJobs":
        for _ in range(150):
            pleo.create_job(items=1, allow_second=True)
    pleo.inject(kind="stuck_cursor", operation=operation, times=None)

    async def ask(client: PleoClient) -> object:
        if operation == "listExportJobs":
            return await client.list_jobs([JobStatus.PENDING])
        return await fetch_items(client, job)

    async with connected() as client:
        with pytest.raises(errors.UnusableAnswer, match="cursor does not advance"):
            await ask(client)
        assert len(pleo.requests(operation=operation)) <= 3, "it is noticed at the second page"
        pleo.clear_faults()
        await ask(client)


async def test_more_without_a_cursor_is_not_taken_for_the_end(
    between: ScriptedServer, connected: Connected
) -> None:
    between.play(steps.answer(200, b'{"data":[],"pagination":{"hasNextPage":true}}'))
    async with connected(between.url()) as client:
        with pytest.raises(errors.UnusableAnswer):
            await client.list_jobs([JobStatus.PENDING])
        assert await client.list_jobs([JobStatus.PENDING]) == []


async def test_a_list_that_never_ends_is_left(
    between: ScriptedServer, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 4)
    endless = [
        steps.answer(200, b'{"data":[],"pagination":{"hasNextPage":true,"endCursor":"%d"}}' % number)
        for number in range(10)
    ]
    between.play(*endless)
    async with connected(between.url()) as client:
        with pytest.raises(errors.UnusableAnswer, match="more than 4 pages"):
            await client.list_jobs([JobStatus.PENDING])
    assert len(between.requests) == 4
