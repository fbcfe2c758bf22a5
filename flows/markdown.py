"""Markdown for Prefect's pages: every text is shown as it is, whatever characters it has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.texts import plain

CELL_LIMIT = 600
"""Characters of one cell; the longest texts of the catalogues, with their facts, are shorter."""

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&$#!^])")
_ADDRESS = re.compile(r"(?i)((?:https?://|www\.)[^\s`]+|[-.+\w]+@[-\w]+(?:\.[-\w]+)+)")
"""What a renderer makes a link although nobody wrote one; it does so even where it is escaped."""
_UNSAFE_IN_LINKS = re.compile(r"[^A-Za-z0-9\-._~:/?#@!$&'*+,;=%]")


def text(value: str) -> str:
    """Give a text as Markdown that is shown letter by letter: no markup, one line.

    Addresses are shown as code, which alone keeps them from becoming links.
    """
    parts = _ADDRESS.split(plain(value, CELL_LIMIT))  # every second one is an address
    return "".join(
        f"`{part.replace('|', chr(92) + '|')}`" if number % 2 else _MARKUP.sub(r"\\\1", part)
        for number, part in enumerate(parts)
    )


def together(value: str) -> str:
    """Give a short text, such as a date or an amount, so that it is never broken into lines."""
    return text(value).replace(" ", "\u00a0").replace("-", "\u2011")


def link(title: str, url: str) -> str:
    """Give a link to a web address; anything else is shown as text."""
    if not re.match(r"https?://[^/\s]", url):
        return text(title)
    target = _UNSAFE_IN_LINKS.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), url)
    return f"[{text(title)}]({target})"


def table(rows: Sequence[dict[str, str]]) -> str:
    """Give rows as a table, each cell being Markdown already; columns that are empty in all are left out."""
    names = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    lines = [names, ["---"] * len(names), *([row[name] for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) if names else ""
