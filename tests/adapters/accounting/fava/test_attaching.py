"""Receipts lie beside their entries in a real Fava, once, and people can open them."""

from __future__ import annotations

import tracemalloc
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from adapters.accounting.booking import Booked, Receipt, ReceiptRefused
from adapters.accounting.contract import PLEO_ATTACHMENTS
from adapters.accounting.fava.adapter import FavaSystem
from adapters.accounting.item_failures import ItemFailureKind
from tests.adapters.accounting.fava.checking import opened
from tests.adapters.accounting.fava.entries import TRAVEL, an_entry, errors, rows
from tests.support import steps
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

WITH_DOCUMENTS = 'option "documents" "documents"\n' + ledger_text()
UPLOADING = 6
"""Number of the request that uploads; before it: `changed`; no entries, `changed`, `journal`; the entry,
`ledger_data`."""


@pytest.fixture
def keeping(fava: FavaServer) -> FavaServer:
    """Its ledger has a folder for documents."""
    fava.ledger.write_text(WITH_DOCUMENTS)
    fava.ask("changed")
    return fava


@pytest.fixture
def receipt(tmp_path: Path) -> Receipt:
    path = tmp_path / "download"
    path.write_bytes(b"%PDF-1.7 " + bytes(range(256)) * 300)
    return Receipt("receipt.pdf", path, "application/pdf")


async def booked_in(system: FavaSystem) -> Booked:
    [booked] = await system.book([an_entry()])
    assert isinstance(booked, Booked)
    return booked


def files(fava: FavaServer) -> list[Path]:
    return sorted(path for path in (fava.ledger.parent / "documents").rglob("*") if path.is_file())


def named(fava: FavaServer, booked: Booked) -> list[str]:
    """Values of the entry's metadata that name documents."""
    keys = ("document", "document-2", "document-3")
    columns = ", ".join(f"entry_meta('{key}')" for key in keys)
    [*_, row] = rows(fava, f"select {columns} where '{booked.external_id}' in links")
    return [value for value in row if value not in {None, "None"}]


def opened_by_people(fava: FavaServer, booked: Booked) -> bytes:
    """Follow the link that Fava's journal has for the entry's document."""
    [[entry_hash]] = rows(fava, f"select id from #entries where '{booked.external_id}' in links")
    query = urllib.parse.urlencode({"entry_hash": entry_hash, "key": "document"})
    with urllib.request.urlopen(f"{fava.url}/statement/?{query}", timeout=30) as answer:
        content: bytes = answer.read()
    return content


def assert_kept_once(fava: FavaServer, booked: Booked, receipt: Receipt) -> None:
    [path] = files(fava)
    assert path.read_bytes() == receipt.path.read_bytes()
    assert named(fava, booked) == [path.name]
    assert opened_by_people(fava, booked) == receipt.path.read_bytes()
    assert errors(fava) == []


async def test_once_and_again(keeping: FavaServer, receipt: Receipt) -> None:
    async with opened(keeping.url) as system:
        booked = await booked_in(system)
        await system.attach(booked, receipt)
        assert_kept_once(keeping, booked, receipt)
        [path] = files(keeping)
        assert path.name == f"2024-03-05 pleo-{booked.reference}-receipt.pdf"
        assert path.parent == keeping.ledger.parent / "documents" / Path(*TRAVEL.split(":"))
        text = keeping.ledger.read_bytes()
        await system.attach(booked, receipt)
        assert keeping.ledger.read_bytes() == text
        assert_kept_once(keeping, booked, receipt)


async def test_several_receipts_and_entries(keeping: FavaServer, receipt: Receipt) -> None:
    """Same names at different entries do not meet; the entries' hashes change with each receipt."""
    async with opened(keeping.url) as system:
        first, second = await booked_in(system), await booked_in(system)
        other = Receipt("other.png", receipt.path, "image/png")
        for booked in (first, second):
            for each in (receipt, other):
                await system.attach(booked, each)
        assert len(files(keeping)) == 4
        for booked in (first, second):
            names = named(keeping, booked)
            assert [name.endswith(suffix) for name, suffix in zip(names, (".pdf", ".png"), strict=True)] == [
                True
            ] * 2
            assert all(str(booked.reference) in name for name in names)


@pytest.mark.parametrize(
    "name",
    [
        '"; evil\n2024-01-01 open Evil:X "',
        "../../../etc/passwd",
        "a/b\\c.PDF",
        "..",
        "",
        ".pdf",
        "発票 é.pdf",
        "x" * 400,
    ],
)
async def test_hostile_names(keeping: FavaServer, receipt: Receipt, name: str) -> None:
    async with opened(keeping.url) as system:
        booked = await booked_in(system)
        for _ in range(2):
            await system.attach(booked, Receipt(name, receipt.path, "application/pdf"))
        assert_kept_once(keeping, booked, receipt)


async def test_a_ledger_without_a_folder_for_documents(fava: FavaServer, receipt: Receipt) -> None:
    async with opened(fava.url) as system:
        booked = await booked_in(system)
        text = fava.ledger.read_text()
        with pytest.raises(ReceiptRefused) as caught:
            await system.attach(booked, receipt)
        assert caught.value.failure.kind is ItemFailureKind.RECEIPT_NOT_UPLOADED
        assert fava.ledger.read_text() == text
        fava.ledger.write_text('option "documents" "documents"\n' + text)
        await system.attach(booked, receipt)
        assert_kept_once(fava, booked, receipt)


async def test_the_file_is_there_but_not_named(keeping: FavaServer, receipt: Receipt) -> None:
    """Fava answers 409; the entry gets the name all the same."""
    async with opened(keeping.url) as system:
        booked = await booked_in(system)
        path = keeping.ledger.parent / "documents" / "Expenses" / "Travel"
        path.mkdir(parents=True)
        (path / f"2024-03-05 pleo-{booked.reference}-receipt.pdf").write_bytes(receipt.path.read_bytes())
        await system.attach(booked, receipt)
        assert_kept_once(keeping, booked, receipt)


async def test_the_lines_move_before_the_upload(
    keeping: FavaServer, between: ScriptedServer, receipt: Receipt
) -> None:
    """Fava knows the hash no more, and keeps the file all the same."""
    async with opened(keeping.url) as system:
        booked = await booked_in(system)

    def move(method: str, path: str) -> None:
        if path.endswith("add_document"):
            keeping.ledger.write_text("; moved\n" + keeping.ledger.read_text())

    between.before_passing = move
    async with opened(between.url(f"/{SLUG}")) as system:
        await system.attach(booked, receipt)
    assert_kept_once(keeping, booked, receipt)


@pytest.mark.parametrize(
    ("number", "arrives"),
    [(number, True) for number in range(UPLOADING + 1)]
    + [(UPLOADING, False)]
    + [pytest.param(number, False, marks=pytest.mark.slow) for number in range(UPLOADING)],
)
async def test_a_lost_answer(
    keeping: FavaServer, between: ScriptedServer, receipt: Receipt, number: int, arrives: bool
) -> None:
    async with opened(keeping.url) as system:
        booked = await booked_in(system)
    if arrives:
        between.loses_answer = lambda at: at == number
    else:
        between.let_pass(number)
        between.play(steps.hang_up())
    async with opened(between.url(f"/{SLUG}")) as system:
        with pytest.raises(ReceiptRefused) as caught:
            await system.attach(booked, receipt)
        assert caught.value.failure.kind is ItemFailureKind.RECEIPT_NOT_UPLOADED
        assert len(between.requests) == number + 1
        await system.attach(booked, receipt)
    assert_kept_once(keeping, booked, receipt)


async def test_an_entry_that_is_gone(keeping: FavaServer, receipt: Receipt) -> None:
    async with opened(keeping.url) as system:
        booked = await booked_in(system)
        keeping.ledger.write_text(WITH_DOCUMENTS)
        with pytest.raises(ReceiptRefused):
            await system.attach(booked, receipt)
        assert files(keeping) == []


async def test_sizes_and_memory(keeping: FavaServer, receipt: Receipt, tmp_path: Path) -> None:
    largest = tmp_path / "largest"
    with largest.open("wb") as file:
        file.truncate(PLEO_ATTACHMENTS.max_bytes)
    async with opened(keeping.url) as system:
        booked = await booked_in(system)
        tracemalloc.start()
        await system.attach(booked, Receipt("large.pdf", largest, "application/pdf"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 * 1024 * 1024
        assert files(keeping)[0].stat().st_size == PLEO_ATTACHMENTS.max_bytes

        with largest.open("ab") as file:
            file.write(b"x")
        with pytest.raises(ReceiptRefused) as caught:
            await system.attach(booked, Receipt("larger.pdf", largest, "application/pdf"))
        assert caught.value.failure.kind is ItemFailureKind.RECEIPT_TOO_LARGE
        assert "30 MB" in caught.value.failure.told_to_pleo().text
        with pytest.raises(ReceiptRefused):
            await system.attach(booked, Receipt("none.pdf", tmp_path / "none", "application/pdf"))
        await system.attach(booked, receipt)
        assert len(files(keeping)) == 2
