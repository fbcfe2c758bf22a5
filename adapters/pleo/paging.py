"""Reading a list of Pleo to its end, whatever the server does with its cursors (L52)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from adapters.pleo.errors import UnusableAnswer
from adapters.pleo.models import Page

T = TypeVar("T")

PAGE_SIZE = 100
"""Records asked for in one page; fewer are accepted (U14)."""

MAX_PAGES = 10_000
"""A list that is longer than this is taken for one that never ends."""


async def all_pages(fetch: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[list[T]]:
    """Yield the records of each page from the first to the last.

    Args:
        fetch: reads the page after a cursor; None asks for the first one.

    Raises:
        UnusableAnswer: a cursor came twice, is missing though more is announced, or there is no end.

    """
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        page = await fetch(cursor)
        yield page.data
        if not page.pagination.has_next_page:
            return
        cursor = page.pagination.end_cursor
        if not cursor or cursor in seen:
            raise UnusableAnswer("the list's cursor does not advance")
        seen.add(cursor)
    raise UnusableAnswer(f"the list has more than {MAX_PAGES} pages")
