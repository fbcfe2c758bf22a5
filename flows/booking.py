"""Booking the items of one job as planned: in batches, settling what is uncertain, reporting as it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from uuid import UUID

from adapters.accounting.booking import BookingResult, Entry, Receipt, Refused, Uncertain
from adapters.accounting.contract import CheckFailed
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.receipts import ReceiptDownloads
from flows.defects import log_defect
from flows.lines import Line
from flows.receipts import attach, downloads, with_receipts
from flows.reporting import Progress, Reports
from flows.rules import outcome
from flows.session import Session

LOOKING_UP_AGAIN_SECONDS = (0.0, 2.0, 5.0, 10.0)
"""Waits before each look-up of an entry whose answer was lost."""


async def carry_out(session: Session, lines: Sequence[Line], progress: Progress) -> None:
    """Book what is planned, and report each result to Pleo as it comes (L87, L95).

    What was booked before gets the receipts that an interrupted run did not come to.

    Raises:
        JobEnded: the job ended elsewhere; what was booked is found again by the next job.
        PleoError: a result could not be reported; the next run finds it in the books.
        TimeShort: too little of the job's hour is left; all that was booked is reported.

    """
    settled = [line for line in lines if line.result is not None]
    waiting = [line for line in lines if line.result is None and line.entry]
    reports = Reports(session, len(lines), progress)
    async with downloads(session) as source:
        async with aclosing(with_receipts(session, source, settled)) as ready:
            async for line, receipts in ready:
                await attach(session, line, receipts)
                await reports.add(line)
        await reports.send()
        await _book_all(session, source, waiting, reports)


async def _book_all(
    session: Session, source: ReceiptDownloads, lines: Sequence[Line], reports: Reports
) -> None:
    """Book in batches, whole ones unless Pleo must hear before, or little of the job's hour is left (L27)."""
    size = min(session.system.capabilities.batch_size, outcome.UPDATE_LIMIT)
    batch: list[tuple[Line, list[Receipt]]] = []
    async with aclosing(with_receipts(session, source, lines)) as ready:
        async for pair in ready:
            batch.append(pair)
            if len(batch) >= session.deadline.may_begin(size) or reports.due:
                await _book(session, batch, reports)
                batch = []
    if batch:
        session.deadline.may_begin(1)
        await _book(session, batch, reports)


async def _book(session: Session, batch: Sequence[tuple[Line, list[Receipt]]], reports: Reports) -> None:
    """Book one batch whose receipts are there: the entries, then the receipts onto them."""
    entries = [line.entry for line, _ in batch if line.result is None and line.entry]
    results = await _results(session, entries)
    results |= await _settle(session, [each for each in results.values() if isinstance(each, Uncertain)])
    for line, receipts in batch:
        if line.result is None and line.entry:
            result = results[line.entry.reference]
            line.result = Refused(line.reference, result.failure) if isinstance(result, Uncertain) else result
        await attach(session, line, receipts)
        await reports.add(line)
    await reports.send()


async def _results(session: Session, entries: Sequence[Entry]) -> dict[UUID, BookingResult]:
    """Book entries, and doubt those of which a defect of the adapter leaves no result.

    Such a defect must not end the run: the next one would meet it again, and the job would never end.
    """
    results: dict[UUID, BookingResult] = {}
    try:
        if entries:
            results = {result.reference: result for result in await session.system.book(entries)}
    except Exception as error:  # noqa: BLE001 - see above
        log_defect("Booking", error)
    unknown = ItemFailure(ItemFailureKind.UNEXPECTED)
    references = [entry.reference for entry in entries]
    return {each: results.get(each) or Uncertain(each, unknown) for each in references}


async def _settle(session: Session, uncertain: Sequence[Uncertain]) -> dict[UUID, BookingResult]:
    """Find out by look-up, never by booking again, what became of entries whose answer was lost.

    One that is not found is reported failed. Should it appear later all the same, the next export of the
    item finds it and reports it successful: it is in the books once, whatever happens.
    """
    settled: dict[UUID, BookingResult] = {}
    for wait in LOOKING_UP_AGAIN_SECONDS:
        missing = [each.reference for each in uncertain if each.reference not in settled]
        if not missing:
            break
        await asyncio.sleep(wait)
        try:
            settled |= await session.system.find(missing)
        except CheckFailed:
            continue
        except Exception as error:  # noqa: BLE001 - as in `_results`
            log_defect("Looking entries up", error)
    return settled
