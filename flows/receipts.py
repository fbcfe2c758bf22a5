"""The receipts of items: a few are downloaded ahead, attached once booked, and then gone from the disk.

An item whose receipt is missing fails, or has a warning where the connection says so (WITHOUT_RECEIPT): the
same whether it could not be downloaded or not attached, and whether its entry is new or was booked before.
Where it fails although it is booked, the next export of it finds the entry and has it get the receipt.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from adapters.accounting.booking import Booked, Receipt, ReceiptRefused, Refused
from adapters.accounting.contract import NO_ATTACHMENTS
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.connection import WithoutReceipt
from adapters.receipts import ReceiptDownloads, ReceiptNotHad
from flows.defects import log_defect
from flows.lines import Line
from flows.session import Session

AT_A_TIME = 4
"""Items whose receipts are downloaded side by side, ahead of the one that is needed next."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def downloads(session: Session) -> AsyncIterator[ReceiptDownloads]:
    """Open what downloads receipts into a folder that is gone afterwards."""
    settings = session.connection.pleo
    with _folder() as folder:
        async with ReceiptDownloads(
            folder,
            session.system.capabilities.attachments or NO_ATTACHMENTS,
            pleo=settings.base_url,
            deadline=settings.call_deadline_seconds,
            policy=replace(session.pleo.policy, attempts=3),
        ) as opened:
            yield opened


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder; where none can be made, as on read-only disks, each download fails on its own."""
    with contextlib.ExitStack() as stack:
        try:
            folder = tempfile.TemporaryDirectory(prefix="pleo-export-receipts-", ignore_cleanup_errors=True)
        except OSError as error:
            _log_disk(error)
            yield Path(os.devnull)
        else:
            yield Path(stack.enter_context(folder))


async def with_receipts(
    session: Session, source: ReceiptDownloads, lines: Sequence[Line]
) -> AsyncGenerator[tuple[Line, list[Receipt]], None]:
    """Give each item with its receipts, in order, while those of the next ones are under way.

    Close it (`aclosing`) before the folder goes: that ends the downloads that nobody waits for.
    """
    ahead: deque[tuple[Line, asyncio.Task[list[Receipt]]]] = deque()
    rest = iter(lines)
    try:
        while True:
            while len(ahead) < AT_A_TIME and (line := next(rest, None)) is not None:
                ahead.append((line, asyncio.create_task(_receipts(session, source, line))))
            if not ahead:
                return
            line, task = ahead[0]
            receipts = await task
            ahead.popleft()
            yield line, receipts
    finally:
        for _, task in ahead:
            task.cancel()
        await asyncio.gather(*(task for _, task in ahead), return_exceptions=True)


async def _receipts(session: Session, source: ReceiptDownloads, line: Line) -> list[Receipt]:
    """Download an item's receipts; none for one that is not booked."""
    if (
        line.item is None
        or isinstance(line.result, Refused)
        or session.system.capabilities.attachments is None
    ):
        return []
    failure = ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED)
    try:
        return await source.fetch(line.item)
    except ReceiptNotHad as missing:
        failure = missing.failure
    except OSError as error:
        _log_disk(error)
    except Exception as error:  # noqa: BLE001 - a defect of ours costs one item, not the job
        log_defect("Downloading a receipt", error)
    _without(session, line, failure)
    return []


async def attach(session: Session, line: Line, receipts: Sequence[Receipt]) -> None:
    """Attach the files of an item that is booked, and remove them from the disk in any case.

    What is attached already, as by a run that broke off, is left.
    """
    for receipt in receipts:
        try:
            if isinstance(line.result, Booked):
                await session.system.attach(line.result, receipt)
        except ReceiptRefused as refused:
            _without(session, line, refused.failure)
        except Exception as error:  # noqa: BLE001 - a defect of the adapter; the entry stays booked
            log_defect("Attaching a receipt", error)
            _without(session, line, ItemFailure(ItemFailureKind.RECEIPT_NOT_UPLOADED))
        finally:
            with contextlib.suppress(OSError):
                receipt.path.unlink(missing_ok=True)


def _without(session: Session, line: Line, failure: ItemFailure) -> None:
    if session.connection.without_receipt is WithoutReceipt.BOOK:
        line.warnings.append(failure)
    else:
        line.refuse(failure)


def _log_disk(error: OSError) -> None:
    logger.error("Receipts cannot be kept on this machine's disk: %s", error.strerror or type(error).__name__)
