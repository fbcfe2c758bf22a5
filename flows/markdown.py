"""Markdown for Prefect's pages: every text is shown as it is, whatever characters it has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.texts import plain

CELL_LIMIT = 600
"""Characters of one cell; the longest texts of the catalogues, with their facts, are shorter."""

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&$#!^])")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(:)|\b(www)(\.)|(\w)(@)(?=\w)")
"""What a renderer would make a link although nobody wrote one."""
_UNSAFE_IN_LINKS = re.compile(r"[^A-Za-z0-9\-._~:/?#@!$&'*+,;=%]")


def text(value: str) -> str:
    """Give a text as Markdown that is shown letter by letter: no markup, no link, one line."""
    escaped = _MARKUP.sub(r"\\\1", plain(value, CELL_LIMIT))
    return _ADDRESS.sub(lambda found: "\\".join(part for part in found.groups() if part), escaped)


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
