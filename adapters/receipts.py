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

_OFFICE = "application/vnd.openxmlformats-officedocument"
_SUFFIXES = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "text/plain": ".txt",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    f"{_OFFICE}.wordprocessingml.document": ".docx",
    f"{_OFFICE}.spreadsheetml.sheet": ".xlsx",
}
"""Formats that Pleo can send (L82). Python's own table differs between versions and machines."""

_ANY_BYTES = {"", "application/octet-stream", "binary/octet-stream"}
"""Media types that say nothing."""

_PAGES = {"text/html", "application/xhtml+xml", "application/json", "application/xml", "text/xml"}
"""What a server answers that has no file to give, also under status 200: a sign-in page, an error."""

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
            ReceiptNotHad: one of them cannot be had; none is left in the folder.
            OSError: the folder cannot be written, as where the disk is full; none is left either.

        """
        try:
            return [await self._fetch(item, number, file) for number, file in enumerate(item.files, start=1)]
        except (ReceiptNotHad, OSError):
            for left in self._folder.glob(f"{item.accounting_entry_id}-*"):
                left.unlink(missing_ok=True)
            raise

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
                    await self._http.download(file.url, target, never=_PAGES)
        except HttpFault as fault:
            if fault.fault is Fault.TOO_LARGE:
                raise self._too_large() from None
            raise ReceiptNotHad(ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED)) from None
        return Receipt(f"{_name(item)}-{number}{suffix}", target, _media_type(file, suffix))

    def _may_be_asked(self, url: str) -> bool:
        try:
            origin = _origin(url)
        except ValueError:  # such as https://[x
            return False
        return origin[0] == "https" or origin == self._origin

    def _too_large(self) -> ReceiptNotHad:
        limit = f"{self._limits.max_bytes / _UNITS:.3g} MB"
        return ReceiptNotHad(ItemFailure(ItemFailureKind.RECEIPT_TOO_LARGE, {"limit": limit}))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _suffix(file: File) -> str:
    """Tell the format from the media type, and where that says nothing, from the link's path."""
    announced = _announced(file)
    known = _SUFFIXES.get(announced)
    if known is None and announced not in _ANY_BYTES:
        known = mimetypes.guess_extension(announced)
    return known or PurePosixPath(urlsplit(file.url).path).suffix.lower()


def _announced(file: File) -> str:
    return (file.type or "").partition(";")[0].strip().lower()


def _media_type(file: File, suffix: str) -> str:
    """Name the media type in a form that is fit for a header, whatever was announced."""
    announced = _announced(file)
    if announced in _SUFFIXES:
        return announced
    by_suffix = {known: media_type for media_type, known in reversed(_SUFFIXES.items())}
    return by_suffix.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


def _name(item: ExportItem) -> str:
    """Name files after the entry: by the book id that Pleo shows, where it is fit for a file name (U36)."""
    book_id = item.additional_information.reconciliation_id
    fit = book_id.isascii() and 0 < len(book_id) <= 50 and all(c.isalnum() or c in "-_" for c in book_id)
    return f"pleo-{book_id if fit else item.accounting_entry_id}"
