"""A receipt is beside its entry once, byte by byte, or it is told why not."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.accounting.booking import Booked, Posting, Receipt, ReceiptRefused
from adapters.accounting.item_failures import ItemFailureKind
from adapters.accounting.tryton.adapter import TrytonSystem
from flows.commands.tryton_books import Interface
from flows.commands.tryton_services import tryton as serve
from flows.commands.tryton_services import write_configuration
from tests.adapters.accounting.tryton.conftest import Connection, Ledger
from tests.adapters.accounting.tryton.entries import an_entry, booked
from tests.adapters.accounting.tryton.test_lost_answers import LosingServer
from tests.support.ports import free_port
from tests.support.scripted_server import ScriptedServer
from tests.support.steps import answer, hang_up, unauthorized
from tests.support.tryton_server import TrytonServer

MEGABYTE = 1024 * 1024


@pytest.fixture
async def system(ledger: Ledger) -> AsyncIterator[TrytonSystem]:
    async with ledger.connection.system() as system:
        yield system


def a_receipt(folder: Path, content: bytes = b"%PDF-1.7 \x00\xff", name: str = "receipt.pdf") -> Receipt:
    path = folder / "downloaded"
    path.write_bytes(content)
    return Receipt(name, path, "application/pdf")


def attached(ledger: Ledger, result: Booked) -> dict[str, bytes]:
    """Name and content of each file beside an entry."""
    (move,) = ledger.moves(result.reference)
    files = ledger.admin.call(
        "model.ir.attachment.search_read",
        [["resource", "=", f"account.move,{move['id']}"]],
        0,
        None,
        [],
        ["name", "data"],
    )
    found = {file["name"]: base64.b64decode(file["data"]["base64"]) for file in files}
    assert len(found) == len(files)
    return found


async def refused(system: TrytonSystem, result: Booked, receipt: Receipt, kind: ItemFailureKind) -> str:
    with pytest.raises(ReceiptRefused) as refusal:
        await system.attach(result, receipt)
    assert refusal.value.failure.kind is kind
    return refusal.value.failure.told_to_pleo().text


@pytest.mark.parametrize(
    ("size", "posting"), [(0, "draft"), (2, "final"), (3 * 128 * 1024 + 1, "draft"), (1_500_000, "final")]
)
async def test_a_receipt_is_attached_once_and_whole(
    size: int, posting: str, ledger: Ledger, system: TrytonSystem, tmp_path: Path
) -> None:
    result = await booked(system, an_entry(posting=Posting(posting)))
    content = bytes(range(256)) * (size // 256 + 1)
    receipt = a_receipt(tmp_path, content[:size])
    for _ in range(2):
        await system.attach(result, receipt)
    await system.attach(result, a_receipt(tmp_path, b"other", "other.pdf"))
    assert attached(ledger, result) == {"receipt.pdf": content[:size], "other.pdf": b"other"}


async def test_a_hostile_name_is_cleaned_and_still_recognised(
    ledger: Ledger, system: TrytonSystem, tmp_path: Path
) -> None:
    result = await booked(system, an_entry())
    for _ in range(2):
        await system.attach(result, a_receipt(tmp_path, name='a\0\u202e%_"quoted".pdf'))
    assert list(attached(ledger, result)) == ['a %_"quoted".pdf']


async def test_what_tryton_finds_too_large_is_told_and_a_smaller_one_taken(
    ledger: Ledger, system: TrytonSystem, tmp_path: Path
) -> None:
    result = await booked(system, an_entry())
    for size in (2, 29):
        text = await refused(
            system, result, a_receipt(tmp_path, bytes(size * MEGABYTE)), ItemFailureKind.RECEIPT_TOO_LARGE
        )
        assert f"(less than {size}.0 MB)" in text
    with (tmp_path / "downloaded").open("wb") as file:
        file.truncate(31 * MEGABYTE)
    receipt = Receipt("receipt.pdf", tmp_path / "downloaded", "application/pdf")
    assert "(30 MB)" in await refused(system, result, receipt, ItemFailureKind.RECEIPT_TOO_LARGE)
    await system.attach(result, a_receipt(tmp_path))
    assert list(attached(ledger, result)) == ["receipt.pdf"]


async def test_a_receipt_that_is_gone_or_whose_entry_is_gone_is_told(
    system: TrytonSystem, tmp_path: Path
) -> None:
    result = await booked(system, an_entry())
    gone = Receipt("receipt.pdf", tmp_path / "gone", "application/pdf")
    await refused(system, result, gone, ItemFailureKind.RECEIPT_NOT_DOWNLOADED)
    receipt = a_receipt(tmp_path)
    await refused(system, Booked(uuid4(), "1"), receipt, ItemFailureKind.RECEIPT_NOT_UPLOADED)
    await system.attach(result, receipt)


@pytest.mark.parametrize("step", [hang_up(), answer(503), unauthorized()], ids=lambda step: step.name)
async def test_a_receipt_that_does_not_get_through_is_told_and_attached_next_time(
    step: object, ledger: Ledger, tmp_path: Path
) -> None:
    receipt = a_receipt(tmp_path)
    with ScriptedServer(upstream=ledger.connection.settings["url"]) as server:
        async with ledger.connection.but(url=server.url(), deadline=1.0).system() as system:
            result = await booked(system, an_entry())
            server.requests.clear()
            await system.attach(result, receipt)
            for lost in (0, len(server.requests) - 1):
                result = await booked(system, an_entry())
                server.let_pass(lost)
                server.play(step)  # type: ignore[arg-type]
                await refused(system, result, receipt, ItemFailureKind.RECEIPT_NOT_UPLOADED)
                server.heal()
                await system.attach(result, receipt)
                assert list(attached(ledger, result)) == ["receipt.pdf"]


async def test_an_answer_that_is_lost_after_the_upload_does_no_harm(ledger: Ledger, tmp_path: Path) -> None:
    receipt = a_receipt(tmp_path)
    with LosingServer(upstream=ledger.connection.settings["url"]) as server:
        server.loses = lambda line, _number: "/ir.attachment?" in line
        async with ledger.connection.but(url=server.url()).system() as system:
            result = await booked(system, an_entry())
            await system.attach(result, receipt)
            await system.attach(result, receipt)
    assert list(attached(ledger, result)) == ["receipt.pdf"]


@pytest.mark.slow
async def test_the_largest_receipt_is_streamed_where_tryton_is_told_to_take_it(
    tryton: TrytonServer, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRYTOND_REQUEST__MAX_SIZE", str(42 * MEGABYTE))
    port = free_port()
    configuration = write_configuration(tmp_path, tryton.postgres.address, port=port)
    content = bytes(range(256)) * (30 * MEGABYTE // 256)
    with serve(configuration, port=port) as url:
        connection: Connection = ledger.connection.but(url=url)
        async with connection.system() as system:
            result = await booked(system, an_entry())
            receipt = a_receipt(tmp_path, content)
            tracemalloc.start()
            try:
                await system.attach(result, receipt)
                _, most = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        theirs = Interface(url, connection.settings["database"])  # files lie beside each server
        stored = await asyncio.to_thread(attached, dataclasses.replace(ledger, admin=theirs), result)
    assert stored == {"receipt.pdf": content}
    assert most < 8 * MEGABYTE, f"{most / MEGABYTE:.1f} MB"
