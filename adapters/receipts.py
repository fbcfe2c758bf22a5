"""Receipts: the files of an item, downloaded within their 24 hours and streamed to a disk (L63, L80-L82).

A link is a signed one on a storage host: it is asked without our credentials, over https only (U35).
"""

from __future__ import annotations

import mimetypes
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from adapters.accounting.booking import Receipt
from adapters.accounting.contract import Attachments
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.faults import Fault, HttpFault
from adapters.http import HttpClient
from adapters.pleo.export_items import ExportItem, File
from adapters.retry import RetryPolicy, attempts

_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf", "text/plain": ".txt"}
"""Where the standard table would give another one of several."""

_UNITS = 1024 * 1024


class ReceiptNotHad(Exception):
    """A receipt cannot be had, and this is what its item is told."""

    def __init__(self, failure: ItemFailure) -> None:
        self.failure = failure
        super().__init__(failure.kind.value)


class ReceiptDownloads:
    """Downloads the receipts of items into a folder.

    Args:
        folder: where files are put; whoever gives it removes it.
        limits: which files the accounting system takes.
        pleo: address of Pleo's API. A link of the same origin may be plain http: the embedded Pleo's.
        deadline: seconds for one file.
        policy: how often a download is repeated after a transient fault.

    """

    def __init__(
        self, folder: Path, limits: Attachments, *, pleo: str, deadline: float, policy: RetryPolicy
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._origin = _origin(pleo)
        self._policy = policy
        self._http = HttpClient("https://", deadline=deadline, max_body_bytes=limits.max_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def fetch(self, item: ExportItem) -> list[Receipt]:
        """Download all files of an item, in their order; none if it has none, which is no error (L81).

        Raises:
            ReceiptNotHad: one of them cannot be had; those downloaded before it lie in the folder.
            OSError: the folder cannot be written.

        """
        return [await self._fetch(item, number, file) for number, file in enumerate(item.files, start=1)]

    async def _fetch(self, item: ExportItem, number: int, file: File) -> Receipt:
        if not self._may_be_asked(file.url):
            raise ReceiptNotHad(ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED))
        suffix = _suffix(file)
        if suffix not in self._limits.suffixes:
            name = suffix or file.type or "unknown"
            raise ReceiptNotHad(ItemFailure(ItemFailureKind.RECEIPT_FORMAT_REFUSED, {"name": name}))
        if file.size is not None and file.size > self._limits.max_bytes:
            raise self._too_large()
        target = self._folder / f"{item.accounting_entry_id}-{number}{suffix}"
        try:
            async for attempt in attempts(self._policy):
                with attempt:
                    await self._http.download(file.url, target)
        except HttpFault as fault:
            if fault.fault is Fault.TOO_LARGE:
                raise self._too_large() from None
            raise ReceiptNotHad(ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED)) from None
        media_type = file.type or mimetypes.types_map.get(suffix, "application/octet-stream")
        return Receipt(f"{_name(item)}-{number}{suffix}", target, media_type)

    def _may_be_asked(self, url: str) -> bool:
        try:
            return url.lower().startswith("https://") or _origin(url) == self._origin
        except ValueError:
            return False

    def _too_large(self) -> ReceiptNotHad:
        limit = f"{self._limits.max_bytes / _UNITS:.3g} MB"
        return ReceiptNotHad(ItemFailure(ItemFailureKind.RECEIPT_TOO_LARGE, {"limit": limit}))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _suffix(file: File) -> str:
    """Tell the format from the media type, and where that says nothing, from the link's path."""
    media_type = (file.type or "").partition(";")[0].strip().lower()
    known = _SUFFIXES.get(media_type) or mimetypes.guess_extension(media_type)
    return known or PurePosixPath(urlsplit(file.url).path).suffix.lower()


def _name(item: ExportItem) -> str:
    """Name files after the entry: by the book id that Pleo shows, where it is fit for a file name (U36)."""
    book_id = item.additional_information.reconciliation_id
    fit = book_id.isascii() and 0 < len(book_id) <= 50 and all(c.isalnum() or c in "-_" for c in book_id)
    return f"pleo-{book_id if fit else item.accounting_entry_id}"
