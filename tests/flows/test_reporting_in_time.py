"""Receipts are had a few at a time, and Pleo hears of results in time however slow they are (L27, L81)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from adapters.accounting.booking import Receipt
from adapters.environment import load_connection
from adapters.pleo.errors import PleoError
from adapters.pleo.export_items import ExportItem
from adapters.pleo.items import fetch_items
from adapters.pleo.sandbox.receipts import MEDIA_TYPES, link
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.receipts import ReceiptDownloads
from flows import booking, receipts, reporting
from flows.lines import Line
from flows.planning import plan
from flows.report import RunReport
from flows.rules.lifecycle import Lifecycle
from flows.session import open_session
from tests.flows.exports import entries, links, make_job, statuses
from tests.support.fava_server import FavaServer

UPDATE = "updateExportJobItems"
Run = Callable[[str], Awaitable[list[Line]]]


@pytest.fixture
def run(pleo: EmbeddedPleo, connect: Callable[..., None], fava: FavaServer) -> Run:
    async def carry_out(job_id: str) -> list[Line]:
        connect(fava.url, ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees")
        async with open_session(load_connection(), RunReport()) as session:
            session.take(await session.pleo.get_job(UUID(job_id)), Lifecycle())
            lines = await plan(session, await fetch_items(session.pleo, session.job.id))

            async def progress(_done: int, _total: int) -> None:
                return

            await booking.carry_out(session, lines, progress)
            return lines

    return carry_out


def job_with_receipts(pleo: EmbeddedPleo, items: int) -> str:
    overrides = {
        str(n): {"files": [{"type": MEDIA_TYPES["pdf"], "url": link(str(uuid4()), "pdf")}]}
        for n in range(1, items + 1)
    }
    return make_job(pleo, items, types={"card_purchase": 1}, status="in_progress", overrides=overrides)


async def test_receipts_are_downloaded_side_by_side_but_not_all_at_once(
    pleo: EmbeddedPleo, run: Run, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[int] = [0]
    real = ReceiptDownloads.fetch

    async def fetch(source: ReceiptDownloads, item: ExportItem) -> list[Receipt]:
        under_way.append(under_way[-1] + 1)
        try:
            await asyncio.sleep(0.05)
            return await real(source, item)
        finally:
            under_way.append(under_way[-1] - 1)

    monkeypatch.setattr(ReceiptDownloads, "fetch", fetch)
    job_id = job_with_receipts(pleo, 9)
    await run(job_id)
    assert max(under_way) == receipts.AT_A_TIME
    assert statuses(pleo, job_id) == {"successful": 9}
    assert len(list((fava.ledger.parent / "documents").rglob("*.pdf"))) == 9


async def test_what_is_ready_is_booked_and_told_while_receipts_are_slow(
    pleo: EmbeddedPleo, run: Run, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "REPORT_AFTER_SECONDS", 0.4)
    job_id = job_with_receipts(pleo, 6)
    pleo.inject(kind="delay", path="/_sandbox/files/*", delay_seconds=0.6, times=None)
    await run(job_id)
    told = [len(request["body"]) for request in pleo.requests(operation=UPDATE)]
    assert sum(told) == 6
    assert len(told) > 1, "not only when all of them are there"
    assert statuses(pleo, job_id) == {"successful": 6}
    assert links(fava) == entries(pleo, job_id)


async def test_a_run_that_breaks_off_leaves_no_download_behind(
    pleo: EmbeddedPleo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "REPORT_AFTER_SECONDS", 0.0)
    job_id = job_with_receipts(pleo, 6)
    before = asyncio.all_tasks()
    pleo.inject(kind="answer", operation=UPDATE, times=None, status=401)
    with pytest.raises(PleoError):
        await run(job_id)
    assert asyncio.all_tasks() <= before
    pleo.clear_faults()
    await run(job_id)
    assert statuses(pleo, job_id) == {"successful": 6}
