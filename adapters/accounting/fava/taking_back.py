"""Takes entries out of a ledger again, leaving its files as if they had never been there.

Fava can delete an entry, but leaves the empty line that it wrote before it, and writes the file once
for each. So the files are put back as a whole without the entries. Nobody's edit is lost: see
`write_probe` for how the SHA-256 sees to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from adapters.accounting.fava.client import FavaClient, FavaRefusal
from adapters.accounting.fava.forms import Source
from adapters.accounting.fava.lookup import Place
from adapters.accounting.fava.transactions import link_of
from adapters.faults import Fault, HttpFault


class Moved(Exception):
    """The entries do not stand any more where they were found; look them up again."""


async def take_back(client: FavaClient, ledger: str, entries: Mapping[UUID, Sequence[Place]]) -> None:
    """Take out these entries, which stand at these places.

    Raises:
        Moved: somebody edited a file meanwhile; entries of other files may be out.
        HttpFault, FavaRefusal, WriteRefused: see `FavaClient`.

    """
    for file in sorted({place.file for places in entries.values() for place in places}):
        source = await client.source(ledger, file)
        if hashlib.sha256(source.source.encode()).hexdigest() != source.sha256sum:
            raise HttpFault(Fault.WRONG_SHAPE)
        lines = source.source.split("\n")
        first_lines = set()
        for reference, places in entries.items():
            for line in (place.line - 1 for place in places if place.file == file):
                if line >= len(lines) or f"^{link_of(reference)}" not in lines[line].split():
                    raise Moved
                first_lines.add(line)
        try:
            await client.put_source(
                ledger, Source(file_path=file, sha256sum=source.sha256sum, source=without(lines, first_lines))
            )
        except FavaRefusal as refusal:
            if "changed externally" in refusal.reason:
                raise Moved from None
            raise


def end_of(lines: Sequence[str], first: int) -> int:
    """Give the line after an entry's last one; its lines but the first are indented, as Fava sees it."""
    end = first + 1
    while end < len(lines) and lines[end].strip() and lines[end][0].isspace():
        end += 1
    return end


def without(lines: Sequence[str], first_lines: Collection[int]) -> str:
    """Take entries out of a text, each with the line end that Fava wrote for it.

    Fava appends an entry after an empty line, or what becomes one if the text ends with a line end; it
    inserts one (option `insert-entry`) with an empty line after it. Of two empty lines around an entry it
    does not matter which one goes.
    """
    left = list(lines)
    for first in sorted(first_lines, reverse=True):
        end = end_of(left, first)
        if first and left[first - 1] == "":
            del left[first - 1 : end]
        elif (end < len(left) - 1 and left[end] == "") or (end == len(left) - 1 and first):
            del left[first : end + 1]
        else:
            del left[first:end]
    return "\n".join(left)
