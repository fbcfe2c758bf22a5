"""Texts from outside made safe to show: one line, no control characters, cut to a length."""

from __future__ import annotations

import unicodedata

FACT_LIMIT = 120
"""Characters of one fact in a sentence."""


def plain(text: str, limit: int = FACT_LIMIT) -> str:
    """Return the text as one line without control or formatting characters, of at most `limit` characters."""
    line = " ".join(
        "".join(c if not unicodedata.category(c).startswith("C") else " " for c in text[: limit * 4]).split()
    )
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def printable(text: str, limit: int = 10_000) -> str:
    """Return the text with blanks for control and formatting characters, its line ends kept, within `limit`.

    A terminal obeys escape sequences in what it is given, whoever wrote them.
    """
    kept = (c if c == "\n" or c.isprintable() else " " for c in text[:limit])
    return "".join(kept) + ("…" if len(text) > limit else "")


def cut_keeping_end(start: str, end: str, limit: int) -> str:
    """Join two sentences within `limit` characters; what must go, goes from the first (U24)."""
    room = limit - len(end) - 1
    if room < 2:
        return end[:limit]
    return f"{start if len(start) <= room else start[: room - 1].rstrip() + '…'} {end}"
