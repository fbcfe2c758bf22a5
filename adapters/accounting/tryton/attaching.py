"""Attaches a file to an entry, once, without holding it as a whole.

Tryton takes files as base64 within JSON. It takes requests of 2 MiB from an application key, that is, files
of 1.5 MiB, until its administrator raises `[request] max_size` in trytond.conf: the larger
`max_size_authenticated` is for people who signed in with a password.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

from adapters.accounting.booking import Booked, Receipt, ReceiptRefused
from adapters.accounting.contract import CheckFailed
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.accounting.tryton.client import TrytonClient, TrytonRefusal
from adapters.accounting.tryton.entries import look_up
from adapters.accounting.tryton.ground import Place, current_company
from adapters.accounting.tryton.records import Attachment
from adapters.accounting.tryton.settling import Guard, has_not_run
from adapters.faults import HttpFault
from adapters.texts import plain

_MODEL = "ir.attachment"
_CHUNK = 3 * 128 * 1024
"""Bytes that are read at a time: a multiple of three, which base64 can be cut at."""

_MEGABYTE = 1024 * 1024
_NAME_LIMIT = 200


def _refused(kind: ItemFailureKind, **facts: str) -> ReceiptRefused:
    return ReceiptRefused(ItemFailure(kind, facts))


async def attach(
    client: TrytonClient, guard: Guard, place: Place, booked: Booked, receipt: Receipt, *, max_bytes: int
) -> None:
    """Attach the receipt unless a file of its name is there.

    Raises:
        ReceiptRefused: it could not be attached.

    """
    try:
        size = (await asyncio.to_thread(receipt.path.stat)).st_size
    except OSError:
        raise _refused(ItemFailureKind.RECEIPT_NOT_DOWNLOADED) from None
    if size > max_bytes:
        raise _refused(ItemFailureKind.RECEIPT_TOO_LARGE, limit=f"{max_bytes // _MEGABYTE} MB")
    name = plain(receipt.name, _NAME_LIMIT)
    try:
        async with guard():
            company = await current_company(client, place)
            move = (await look_up(client, company, [booked.reference])).get(booked.reference)
        if move is None:
            raise _refused(ItemFailureKind.RECEIPT_NOT_UPLOADED)
        resource = f"account.move,{move.id}"
        if not await _is_there(client, guard, resource, name):
            await _upload(client, guard, resource, name, receipt.path, size)
    except CheckFailed:
        raise _refused(ItemFailureKind.RECEIPT_NOT_UPLOADED) from None


async def _is_there(client: TrytonClient, guard: Guard, resource: str, name: str) -> bool:
    domain = [["resource", "=", resource], ["name", "=", name]]
    async with guard():
        return bool(await client.select(_MODEL, domain, Attachment))


async def _upload(
    client: TrytonClient, guard: Guard, resource: str, name: str, path: Path, size: int
) -> None:
    record = {
        "resource": resource,
        "type": "data",
        "name": name,
        "data": {"__class__": "bytes", "base64": ""},
    }
    head, tail = json.dumps(record).encode()[:-3], b'"}}'
    length = len(head) + 4 * -(-size // 3) + len(tail)
    try:
        await client.upload(_MODEL, _body(head, path, tail), length)
    except TrytonRefusal:
        raise _refused(ItemFailureKind.RECEIPT_NOT_UPLOADED) from None
    except HttpFault as fault:
        if fault.status == 413:
            limit = f"less than {size / _MEGABYTE:.1f} MB"
            raise _refused(ItemFailureKind.RECEIPT_TOO_LARGE, limit=limit) from None
        if has_not_run(fault) or not await _is_there(client, guard, resource, name):
            raise _refused(ItemFailureKind.RECEIPT_NOT_UPLOADED) from None


async def _body(head: bytes, path: Path, tail: bytes) -> AsyncIterator[bytes]:
    yield head
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield base64.b64encode(chunk)
    yield tail
