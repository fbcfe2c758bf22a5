r"""Proves that Fava may write the files into which it inserts entries, without changing their text.

Fava notices a file without write permission only when it opens it for writing, and every way in which
Fava opens a source file for writing truncates and rewrites it (all of fava/core/file.py, 1.30). So no
probe is without any trace; this is the least one. Fava is handed the text that it just gave us and
writes it back: same bytes, same inode, a new modification time. It is sent only after everything else
was proved, and an export that books one entry rewrites the file in the same way.

Nobody's edit is lost. The text goes with its SHA-256, and Fava writes it only if the file's text, read
again under Fava's lock, has that very SHA-256; and we send it only if the text in our hands has it,
too. So what is written equals what is there. An edit between our reading and our writing makes Fava
refuse; then everything is read afresh. What remains is the instant inside Fava between that comparison
and the end of its writing, as in every booking through Fava.

Known limits, the same as in every booking: the line ends of a file that mixes `\n` and `\r\n` become
those of its first line; the extension `fava.ext.auto_commit` commits what it finds uncommitted there.
"""

from __future__ import annotations

import hashlib

from adapters.accounting.fava.client import FavaClient, FavaRefusal
from adapters.accounting.fava.forms import Source
from adapters.faults import Fault, HttpFault

_ATTEMPTS = 3


async def prove_rewritable(client: FavaClient, ledger: str, file: str) -> bool:
    """Have Fava rewrite the file with its own text.

    Returns:
        Whether that could be tried: False for a file too large to be carried over the wire, and for one
        that others changed each time between reading and writing.

    Raises:
        HttpFault: no usable answer, or a text that is not the one Fava vouches for.
        FavaRefusal: with Fava's reason, such as `Permission denied`.
        WriteRefused: writing is not allowed.

    """
    for _attempt in range(_ATTEMPTS):
        try:
            source = await _read(client, ledger, file)
            if source is None:
                return False
            await client.put_source(ledger, source)
        except FavaRefusal as refusal:
            if "changed externally" not in refusal.reason:
                raise
        except HttpFault as fault:
            if fault.status == 413:
                return False
            raise
        else:
            return True
    return False


async def _read(client: FavaClient, ledger: str, file: str) -> Source | None:
    """Read the file, None if it is too large; never accept a text that something on the way altered."""
    try:
        source = await client.source(ledger, file)
    except HttpFault as fault:
        if fault.fault is Fault.TOO_LARGE:
            return None
        raise
    if hashlib.sha256(source.source.encode()).hexdigest() != source.sha256sum:
        raise HttpFault(Fault.WRONG_SHAPE)
    return source
