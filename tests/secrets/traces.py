"""Finds a secret in whatever was written: as it is, encoded, and in parts of 12 characters or more."""

from __future__ import annotations

import base64
import html
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from psycopg.sql import SQL, Identifier

from tests.support.postgres import Postgres

PART = 12
"""Characters of a form in a row that count as a find."""


class Traces:
    """Looks for secrets.

    Args:
        secrets: by a name that a report may hold.

    """

    def __init__(self, secrets: dict[str, str]) -> None:
        self._parts: dict[bytes, str] = {}
        for name, secret in secrets.items():
            for how, form in forms(secret).items():
                for start in range(max(1, len(form) - PART + 1)):
                    self._parts.setdefault(form[start : start + PART].lower(), f"{name} ({how})")

    def inside(self, data: bytes) -> set[str]:
        """Name the secrets, and their forms, of which there is a trace."""
        lowered = data.lower()
        return {name for part, name in self._parts.items() if part in lowered}


def forms(secret: str) -> dict[str, bytes]:
    """Every way in which a program could have written the secret."""
    plain = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    written = {
        "plain": plain,
        "JSON": escaped.encode(),
        "JSON in JSON": json.dumps(escaped)[1:-1].encode(),
        "repr": repr(secret)[1:-1].encode(),
        "URL": quote(secret, safe="").encode(),
        "URL path": quote(secret).encode(),
        "form": quote_plus(secret).encode(),
        "HTML": html.escape(secret).encode(),
        "hex": plain.hex().encode(),
        "UTF-16": secret.encode("utf-16-le"),
    }
    for offset in range(3):  # base64 of a text that holds it: where it begins decides its form
        inside = base64.b64encode(b"\0" * offset + plain)
        whole = inside[4 if offset else 0 : len(inside) - 4]
        written[f"base64 +{offset}"] = whole
        written[f"base64url +{offset}"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    return {how: form for how, form in written.items() if len(form) >= PART}


def files_below(*folders: Path, but: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Give the name and the bytes of every file; of a database the text of every table as well."""
    left_out = set(but)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path not in left_out:
                yield path.name, path.read_bytes()
                if path.suffix == ".db":
                    yield f"{path.name} as text", sqlite_text(path)


def sqlite_text(path: Path) -> bytes:
    """Give every table of a database as text, what is still in its write-ahead log included."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return "\n".join(database.iterdump()).encode("utf-8", "surrogatepass")


def postgresql_text(server: Postgres, database: str = "prefect") -> bytes:
    """Give every row of every table of a database as text."""
    with server.connect(database) as connection:
        listed = "select tablename from pg_tables where schemaname = 'public' order by tablename"
        tables = [name for (name,) in connection.execute(listed).fetchall()]
        rows = [
            row
            for table in tables
            for (row,) in connection.execute(
                SQL("select t::text from {} t").format(Identifier(table))
            ).fetchall()
        ]
    return "\n".join(rows).encode()
