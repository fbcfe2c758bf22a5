"""Reading a list of Pleo to its end, whatever the server does with its cursors (L52)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from adapters.pleo.errors import PleoUnavailable, UnusableAnswer
from adapters.pleo.models import Page

T = TypeVar("T")

PAGE_SIZE = 100
"""Records asked for in one page; fewer are accepted (U14)."""

MAX_PAGES = 10_000
"""A list that is longer than this is taken for one that never ends."""

MAX_BYTES = 128 * 1024 * 1024
"""Decoded bytes of all pages of one list: some 60,000 export items, all of which are held in memory."""

MAX_SECONDS = 600.0
"""Time for all pages of one list; a job expires an hour after its last update (L24)."""


class Size:
    """Counts the bytes of one list, page by page."""

    def __init__(self) -> None:
        self._bytes = 0

    def add(self, number: int) -> None:
        """Count the bytes of one more page.

        Raises:
            UnusableAnswer: the list is larger than one may be.

        """
        self._bytes += number
        if self._bytes > MAX_BYTES:
            raise UnusableAnswer(f"the list has more than {MAX_BYTES} bytes")


async def all_pages(fetch: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[list[T]]:
    """Yield the records of each page from the first to the last.

    Args:
        fetch: reads the page after a cursor; None asks for the first one.

    Raises:
        UnusableAnswer: a cursor came twice, is missing though more is announced, or there is no end.
        PleoUnavailable: the pages came so slowly that the time for a list is over.

    """
    ends = time.monotonic() + MAX_SECONDS
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        if time.monotonic() > ends:
            raise PleoUnavailable(f"the list was not complete within {MAX_SECONDS:g} s")
        page = await fetch(cursor)
        yield page.data
        if not page.pagination.has_next_page:
            return
        cursor = page.pagination.end_cursor
        if not cursor or cursor in seen:
            raise UnusableAnswer("the list's cursor does not advance")
        seen.add(cursor)
    raise UnusableAnswer(f"the list has more than {MAX_PAGES} pages")
