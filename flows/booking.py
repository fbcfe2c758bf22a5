"""Booking the items of one job: plan, book in batches, settle what is uncertain, report as it goes.

Without Prefect, so that `pleo-export plan` shows the very plan that a run carries out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from adapters.accounting.booking import (
    Booked,
    BookingResult,
    Entry,
    Receipt,
    ReceiptRefused,
    Refused,
    Uncertain,
)
from adapters.accounting.contract import NO_ATTACHMENTS, CheckFailed
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.connection import WithoutReceipt
from adapters.pleo.items import FetchedItems
from adapters.pleo.models import UNFINISHED_ITEM, ExportJobItem
from adapters.pleo.reporting import report_items
from adapters.receipts import ReceiptDownloads, ReceiptNotHad
from flows.lines import Line
from flows.rules import mapping, outcome
from flows.rules.periods import in_open_period
from flows.session import Session

LOOKING_UP_AGAIN_SECONDS = (0.0, 2.0, 5.0, 10.0)
"""Waits before each look-up of an entry whose answer was lost."""

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many items have a result, and of how many."""


async def plan(session: Session, fetched: FetchedItems) -> list[Line]:
    """Map every unfinished item and look up what the accounting system knows of it; reads only.

    Raises:
        CheckFailed: the accounting system could not be asked.

    """
    settings = mapping.MappingSettings.of(session.connection, session.system.capabilities)
    lines = [Line(refused.reference, result=refused) for refused in outcome.not_readable(fetched)]
    mapped = mapping.entries_of(fetched.to_book, settings)
    for item, made in zip(fetched.to_book, mapped, strict=True):
        entry, refused = (made, None) if isinstance(made, Entry) else (None, made)
        lines.append(Line(item.accounting_entry_id, item, entry, refused))
    await _look_up(session, lines)
    await _examine(session, lines)
    return lines


async def _look_up(session: Session, lines: Sequence[Line]) -> None:
    """Take what is in the books already for booked, whatever the mapping says of it now (U13)."""
    found = await session.system.find([line.reference for line in lines])
    for line in lines:
        if booked := found.get(line.reference):
            line.result, line.earlier = booked, True


async def _examine(session: Session, lines: Sequence[Line]) -> None:
    open_lines = [line for line in lines if line.result is None and line.entry]
    for again in (True, False):
        failures = await session.system.examine([line.entry for line in open_lines if line.entry])
        moved = []
        for line in open_lines:
            failure = failures.get(line.reference)
            if failure is None or line.entry is None:
                continue
            if failure.kind is ItemFailureKind.PERIOD_CLOSED and again:
                day = await session.system.next_open_day(line.entry.date)
                settled = in_open_period(line.entry, day, session.connection.closed_period)
                if isinstance(settled, Entry):
                    line.entry = settled
                    moved.append(line)
                    continue
            line.refuse(failure)
        open_lines = moved
        if not moved:
            return


async def carry_out(session: Session, lines: Sequence[Line], progress: Progress) -> None:
    """Book what is planned, and report each result to Pleo as it comes (L87, L95).

    Raises:
        JobEnded: the job ended elsewhere; what was booked is found again by the next job.
        PleoError: a result could not be reported; the next run finds it in the books.
        TimeShort: too little of the job's hour is left; all that was booked is reported.

    """
    waiting = [line for line in lines if line.result is None and line.entry]
    settled = [line for line in lines if line.result is not None]
    done = 0
    with _folder_for_receipts() as folder:
        async with _downloads(session, folder) as downloads:
            for batch in outcome.batches(settled):
                await _attach_to_earlier(session, downloads, batch)
                await _report(session, batch)
                await progress(done := done + len(batch), len(lines))
            size = min(session.system.capabilities.batch_size, outcome.UPDATE_LIMIT)
            while waiting:
                begun = session.deadline.may_begin(size)
                batch, waiting = waiting[:begun], waiting[begun:]
                await _book(session, downloads, batch)
                await _report(session, batch)
                await progress(done := done + len(batch), len(lines))


@contextlib.contextmanager
def _folder_for_receipts() -> Iterator[Path]:
    """Give a folder that is gone afterwards.

    Where none can be made, as on a machine whose disks are read-only, each download fails on its own.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = tempfile.TemporaryDirectory(prefix="pleo-export-receipts-", ignore_cleanup_errors=True)
        except OSError as error:
            _log_disk(error)
            yield Path(os.devnull)
        else:
            yield Path(stack.enter_context(folder))


async def _book(session: Session, downloads: ReceiptDownloads, batch: Sequence[Line]) -> None:
    """Book one batch: first the receipts, then the entries, then the receipts onto the entries."""
    receipts = {line.reference: await _receipts(session, downloads, line) for line in batch}
    entries = [line.entry for line in batch if line.result is None and line.entry]
    results = await _results(session, entries)
    results |= await _settle(session, [each for each in results.values() if isinstance(each, Uncertain)])
    for line in batch:
        if line.result is None:
            result = results[line.reference]
            line.result = Refused(line.reference, result.failure) if isinstance(result, Uncertain) else result
        await _attach(session, line, receipts[line.reference])


async def _results(session: Session, entries: Sequence[Entry]) -> dict[UUID, BookingResult]:
    """Book entries, and doubt those of which a defect of the adapter leaves no result.

    Such a defect must not end the run: the next one would meet it again, and the job would never end.
    """
    results: dict[UUID, BookingResult] = {}
    try:
        if entries:
            results = {result.reference: result for result in await session.system.book(entries)}
    except Exception as error:  # noqa: BLE001 - see above
        _log_defect("Booking", error)
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
    return settled


async def _receipts(session: Session, downloads: ReceiptDownloads, line: Line) -> list[Receipt]:
    """Download an item's receipts; without them it fails, or is booked with a warning, as configured."""
    if line.item is None or session.system.capabilities.attachments is None:
        return []
    try:
        return await downloads.fetch(line.item)
    except ReceiptNotHad as missing:
        failure = missing.failure
    except OSError as error:
        _log_disk(error)
        failure = ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED)
    if session.connection.without_receipt is WithoutReceipt.BOOK or line.result is not None:
        line.warnings.append(failure)
    else:
        line.refuse(failure)
    return []


async def _attach(session: Session, line: Line, receipts: Sequence[Receipt]) -> None:
    """Attach the files of an item that is booked, and remove them from the disk in any case."""
    for receipt in receipts:
        try:
            if isinstance(line.result, Booked):
                await session.system.attach(line.result, receipt)
        except ReceiptRefused as refused:
            _without(session, line, refused.failure)
        except Exception as error:  # noqa: BLE001 - a defect of the adapter; the entry stays booked
            _log_defect("Attaching a receipt", error)
            _without(session, line, ItemFailure(ItemFailureKind.RECEIPT_NOT_UPLOADED))
        finally:
            with contextlib.suppress(OSError):
                receipt.path.unlink(missing_ok=True)


def _without(session: Session, line: Line, failure: ItemFailure) -> None:
    if session.connection.without_receipt is WithoutReceipt.BOOK:
        line.warnings.append(failure)
    else:
        line.refuse(failure)


async def _attach_to_earlier(session: Session, downloads: ReceiptDownloads, batch: Sequence[Line]) -> None:
    """Attach what an interrupted run did not come to; what is there already is left."""
    for line in batch:
        if line.earlier:
            await _attach(session, line, await _receipts(session, downloads, line))


async def _report(session: Session, batch: Sequence[Line]) -> None:
    updates = [outcome.update_of(line.result) for line in batch if line.result is not None]
    if updates:
        asked_at = session.deadline.clock()
        reported = await report_items(session.pleo, session.job.id, updates)
        if reported.accepted:
            session.deadline.pushed_out(asked_at)


async def report_missing(session: Session) -> list[ExportJobItem]:
    """List all items as Pleo holds them, after sending once more what it does not hold yet (L101, L102).

    Raises:
        JobEnded: the job ended elsewhere.
        PleoError: Pleo could not be asked or told.

    """
    states = await session.pleo.list_job_items(session.job.id)
    unfinished = {item.accounting_entry_id for item in states if item.status in UNFINISHED_ITEM}
    missing = [line for line in session.lines if line.reference in unfinished]
    if not missing:
        return states
    await _report(session, missing)
    return await session.pleo.list_job_items(session.job.id)


def _downloads(session: Session, folder: Path) -> ReceiptDownloads:
    limits = session.system.capabilities.attachments or NO_ATTACHMENTS
    settings = session.connection.pleo
    return ReceiptDownloads(
        folder,
        limits,
        pleo=settings.base_url,
        deadline=settings.call_deadline_seconds,
        policy=replace(session.pleo.policy, attempts=3),
    )


def _log_defect(doing: str, error: Exception) -> None:
    """Log where an exception came from, without its text, which could hold a secret."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s ended with an unforeseen %s at:\n%s", doing, type(error).__name__, frames)


def _log_disk(error: OSError) -> None:
    logger.error("Receipts cannot be kept on this machine's disk: %s", error.strerror or type(error).__name__)
