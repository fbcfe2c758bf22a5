"""Keeps a receipt beside its entry, once: Fava stores the file and names it in the entry's metadata.

The file lies in the ledger's documents folder, below one of the entry's accounts. Its name begins with the
entry's date, without which Beancount does not see it as a document, and holds the entry's reference:
all entries of an account share one folder.
"""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

from adapters.accounting.booking import Receipt, ReceiptRefused
from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.forms import Transaction
from adapters.accounting.fava.lookup import look_up, settle
from adapters.accounting.fava.transactions import link_of
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.faults import Fault, HttpFault
from adapters.http import Upload

_ATTEMPTS = 3
_NAME_BYTES = 120
_MEGABYTE = 1024 * 1024


async def attach(client: FavaClient, ledger: str, reference: UUID, receipt: Receipt, max_bytes: int) -> None:
    """Have Fava keep the file with the entry, unless it does so already.

    Each attempt looks the entry up anew: its hash changes whenever lines above it move. Where a file
    is kept but not named in the entry (since the hash was unknown, or an answer was lost), only its
    name is added.

    Raises:
        ReceiptRefused: it is too large, or there is no entry or no folder for it.
        HttpFault, FavaRefusal, WriteRefused: see `FavaClient`.

    """
    refuse_too_large(receipt, max_bytes)
    kept = False
    for _attempt in range(_ATTEMPTS):
        await settle(client, ledger)
        places = (await look_up(client, ledger, [reference])).get(reference)
        if not places:
            break
        entry_hash = places[0].entry_hash
        try:
            entry = await client.transaction(ledger, entry_hash)
            name = f"{entry.date.isoformat()} {_own_name(reference, receipt.name)}"
            if _names(entry, name):
                return
            if kept:
                await client.name_document(ledger, entry_hash, name)
                return
            place = {
                "folder": await _documents_folder(client, ledger),
                "account": entry.postings[0].account,
                "hash": entry_hash,
            }
            await client.add_document(ledger, place, Upload(name, receipt.path, receipt.media_type))
        except HttpFault as fault:
            if fault.fault is not Fault.STATUS or fault.status not in {404, 409}:
                raise
            kept = kept or fault.status == 409  # 404: the next attempt finds out
        except OSError:
            break
        else:
            return
    raise _refused()


def refuse_too_large(receipt: Receipt, max_bytes: int) -> None:
    """Check the file's size before anything is sent.

    Raises:
        ReceiptRefused: it is too large, or cannot be read.

    """
    try:
        size = receipt.path.stat().st_size
    except OSError:
        raise _refused() from None
    if size > max_bytes:
        limit = f"{max_bytes // _MEGABYTE} MB"
        raise ReceiptRefused(ItemFailure(ItemFailureKind.RECEIPT_TOO_LARGE, {"limit": limit}))


async def _documents_folder(client: FavaClient, ledger: str) -> str:
    folders = (await client.ledger_data(ledger)).options.documents
    if not folders:
        raise _refused()
    return folders[0]


def _names(entry: Transaction, name: str) -> bool:
    """Whether the entry names the file, if need be under another date that the entry had before."""
    own = name.partition(" ")[2]
    values = [value for key, value in entry.meta.items() if key.startswith("document")]
    return any(str(value).rpartition("/")[2].partition(" ")[2] == own for value in values)


def _own_name(reference: UUID, name: str) -> str:
    """Make a name that Fava can write: it puts it between quotes as it is, and into a folder."""
    stem, dot, suffix = unicodedata.normalize("NFC", name).rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    stem = re.sub(r"[^\w.()-]+", "-", stem).strip("-.")
    stem = stem.encode()[:_NAME_BYTES].decode(errors="ignore") or "receipt"
    suffix = re.sub(r"[^A-Za-z0-9]", "", suffix)[:10].lower()
    return f"{link_of(reference)}-{stem}{'.' if suffix else ''}{suffix}"


def _refused() -> ReceiptRefused:
    return ReceiptRefused(ItemFailure(ItemFailureKind.RECEIPT_NOT_UPLOADED))
