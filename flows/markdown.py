"""Texts in Markdown: Prefect's UI reads the cells of a table artifact, and every description, as Markdown.

What a system outside wrote must stay text there: no link, no image, no table, no tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SPECIAL = re.compile(
    r"[\\`*\[\]<>&|~#!^$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|@|(?<=www)\.", re.IGNORECASE
)
"""Marks up, or makes a link of what stands around it; an underscore within a word does neither."""

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-:\[\]/?&=%#_~+,;@]+")


def escaped(text: str) -> str:
    """Give the Markdown that shows the text as it is, on one line."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], " ".join(text.splitlines()))


def row_of_texts(row: Mapping[str, str], *, links: str = "") -> dict[str, str]:
    """Escape the cells of a row; an address in the column `links` stays one that people can click."""
    return {
        name: value if name == links and _ADDRESS.fullmatch(value) else escaped(value)
        for name, value in row.items()
    }
