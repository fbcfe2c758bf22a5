"""Receipts come over real HTTP with the right bytes, or their item is told in time why not."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.accounting.contract import PLEO_ATTACHMENTS, Attachments
from adapters.accounting.item_failures import ItemFailureKind
from adapters.faults import Fault
from adapters.pleo.client import PleoClient
from adapters.pleo.export_items import ExportItem, File
from adapters.pleo.sandbox.receipts import receipt
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import PleoSettings
from adapters.receipts import ReceiptDownloads, ReceiptNotHad
from adapters.retry import RetryPolicy
from tests.support import steps
from tests.support.faults_table import FAULTS, UNKNOWN_HOST, FaultCase
from tests.support.scripted_server import ScriptedServer

DEADLINE = 0.4
QUICK = RetryPolicy(attempts=2, budget=2, first_wait=0.01, longest_wait=0.05)
SMALL = replace(PLEO_ATTACHMENTS, max_bytes=100_000)
PDF = receipt("0" * 36, "pdf")
DAY = 24 * 3600
NOT_DOWNLOADED = ItemFailureKind.RECEIPT_NOT_DOWNLOADED
TOO_LARGE = ItemFailureKind.RECEIPT_TOO_LARGE
FORMAT_REFUSED = ItemFailureKind.RECEIPT_FORMAT_REFUSED


@pytest.fixture(scope="module")
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture
def between(pleo: EmbeddedPleo) -> Iterator[ScriptedServer]:
    """Stands before the storage host: what is not scripted is answered by the embedded Pleo."""
    with ScriptedServer(upstream=pleo.base_url) as server:
        yield server


@pytest.fixture
async def items(pleo: EmbeddedPleo) -> list[ExportItem]:
    """Items with files, the first one with a PNG and a PDF."""
    pleo.reset()
    job = UUID(pleo.create_job(40, types={"card_purchase": 1}, status="in_progress"))
    settings = PleoSettings.model_validate({"base_url": pleo.base_url, "api_key": pleo.api_key})
    async with PleoClient(settings, UUID(str(pleo.company_id)), policy=QUICK) as client:
        found = [each for each in await client.list_export_items(job) if isinstance(each, ExportItem)]
    return sorted((each for each in found if each.files), key=lambda each: -len(each.files))


@pytest.fixture
def downloads(tmp_path: Path) -> Callable[..., ReceiptDownloads]:
    def make(
        pleo: str, limits: Attachments = SMALL, *, deadline: float = DEADLINE, folder: Path = tmp_path
    ) -> ReceiptDownloads:
        return ReceiptDownloads(folder, limits, pleo=pleo, deadline=deadline, policy=QUICK)

    return make


Downloads = Callable[..., ReceiptDownloads]


def with_files(item: ExportItem, *files: File) -> ExportItem:
    return replace(item, files=list(files))


def at(item: ExportItem, address: str) -> ExportItem:
    """The item with its first file alone, whose link leads to another host."""
    path = item.files[0].url.partition("/_sandbox/")[2]
    return with_files(item, replace(item.files[0], url=f"{address}/_sandbox/{path}"))


async def failure_of(having: ReceiptDownloads, item: ExportItem) -> ReceiptNotHad:
    with pytest.raises(ReceiptNotHad) as caught:
        await having.fetch(item)
    return caught.value


def kept(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def name_of_file(item: ExportItem, number: int) -> str:
    return item.files[number].url.partition("/files/")[2].partition(".")[0]


async def test_files_come_in_order_with_their_bytes_and_the_entrys_name(
    pleo: EmbeddedPleo, items: list[ExportItem], downloads: Downloads, tmp_path: Path
) -> None:
    item = items[0]
    assert [file.type for file in item.files] == ["image/png", "application/pdf"]
    async with downloads(pleo.base_url) as having:
        png, pdf = await having.fetch(item)
    book_id = item.additional_information.reconciliation_id
    assert (png.name, png.media_type) == (f"pleo-{book_id}-1.png", "image/png")
    assert (pdf.name, pdf.media_type) == (f"pleo-{book_id}-2.pdf", "application/pdf")
    assert png.path.read_bytes() == receipt(name_of_file(item, 0), "png")
    assert pdf.path.read_bytes() == receipt(name_of_file(item, 1), "pdf")
    assert png.path.parent == tmp_path
    sent = pleo.requests(path="/_sandbox/files/*")
    assert len(sent) == 2
    assert [request["authorized"] for request in sent] == [False, False]


async def test_an_item_without_files_has_no_receipts(
    pleo: EmbeddedPleo, items: list[ExportItem], downloads: Downloads
) -> None:
    async with downloads(pleo.base_url) as having:
        assert await having.fetch(with_files(items[0])) == []


async def test_our_credentials_are_not_sent_to_the_storage_host(
    pleo: EmbeddedPleo, between: ScriptedServer, items: list[ExportItem], downloads: Downloads
) -> None:
    async with downloads(between.url()) as having:
        await having.fetch(at(items[0], between.url()))
    assert [(each.method, each.authorized) for each in between.requests] == [("GET", False)]


async def test_plain_http_is_followed_to_pleos_own_origin_only(
    pleo: EmbeddedPleo, between: ScriptedServer, items: list[ExportItem], downloads: Downloads
) -> None:
    elsewhere = at(items[0], between.url())
    async with downloads(pleo.base_url) as having:
        assert (await failure_of(having, elsewhere)).failure.kind is NOT_DOWNLOADED
        assert between.requests == [], "nobody is asked"
    async with downloads(f"{between.url()}/some/path") as having:
        assert len(await having.fetch(elsewhere)) == 1


@pytest.mark.parametrize(
    "url",
    ["", "no link", "file:///etc/passwd", "ftp://x/y.pdf", "https://", "https://[x/y.pdf", "https://\n/"],
)
@pytest.mark.parametrize("media_type", ["application/pdf", None])
async def test_an_odd_link_fails_its_item_alone(
    pleo: EmbeddedPleo,
    items: list[ExportItem],
    downloads: Downloads,
    tmp_path: Path,
    url: str,
    media_type: str | None,
) -> None:
    async with downloads(pleo.base_url) as having:
        odd = with_files(items[0], items[0].files[0], File(url, media_type))
        failed = await failure_of(having, odd)
        assert failed.failure.kind in {NOT_DOWNLOADED, FORMAT_REFUSED}
        assert kept(tmp_path) == [], "what came before it is not kept either"
        assert len(await having.fetch(items[0])) == 2


async def test_a_link_that_ran_out_is_told_and_a_fresh_one_is_good(
    pleo: EmbeddedPleo, items: list[ExportItem], downloads: Downloads
) -> None:
    async with downloads(pleo.base_url) as having:
        pleo.advance(DAY)
        assert (await failure_of(having, items[0])).failure.kind is NOT_DOWNLOADED
        assert len(pleo.requests(path="/_sandbox/files/*")) == 1, "403 does not pass by itself"
        pleo.advance(-DAY)
        assert len(await having.fetch(items[0])) == 2


@pytest.mark.parametrize("case", FAULTS, ids=str)
async def test_every_fault_of_the_table_ends_in_time_and_the_next_download_succeeds(
    between: ScriptedServer,
    items: list[ExportItem],
    downloads: Downloads,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: FaultCase,
) -> None:
    address = case.begin(between, monkeypatch)
    async with downloads(address) as having:
        begun = time.monotonic()
        failed = await failure_of(having, at(items[0], address))
        assert time.monotonic() - begun < QUICK.attempts * DEADLINE + 0.7
        kind = TOO_LARGE if case.fault is Fault.TOO_LARGE else NOT_DOWNLOADED
        assert failed.failure.kind is kind
        told = failed.failure.told_to_pleo()
        assert UNKNOWN_HOST not in told.text and str(between.port) not in told.text
        assert kept(tmp_path) == [], "nothing half is left"
        case.end(between, monkeypatch)
        assert len(await having.fetch(at(items[0], address))) == 1


async def test_a_fault_that_passes_is_not_seen(
    between: ScriptedServer, items: list[ExportItem], downloads: Downloads
) -> None:
    between.play(steps.reset_in_body())
    item = at(items[0], between.url())
    async with downloads(between.url()) as having:
        (had,) = await having.fetch(item)
    assert had.path.read_bytes() == receipt(name_of_file(item, 0), "png"), "the first half is not in it"
    assert [each.step for each in between.requests] == ["reset", "upstream"]


def drawn_out(*, announced: bool, megabytes: int) -> steps.Step:
    """A body of zeros, sent in pieces as the client takes them, with or without its length in the head."""

    async def play(exchange: steps.Exchange) -> None:
        length = {"Content-Length": str(megabytes << 20)} if announced else {}
        exchange.send(200, {"Content-Type": "application/pdf", **length})
        piece = bytes(1 << 16)
        for _ in range(megabytes << 4):
            exchange.writer.write(piece)
            await exchange.writer.drain()

    return steps.Step("drawn out", play)


BOMB = steps.answer(
    200,
    gzip.compress(bytes(8 << 20)),
    content_type="application/pdf",
    headers={"Content-Encoding": "gzip"},
)


@pytest.mark.parametrize(
    "step",
    [drawn_out(announced=True, megabytes=8), drawn_out(announced=False, megabytes=8), BOMB],
    ids=["length in the head", "no length", "gzip bomb"],
)
async def test_a_file_above_the_limit_is_not_read_to_its_end(
    between: ScriptedServer, items: list[ExportItem], downloads: Downloads, tmp_path: Path, step: steps.Step
) -> None:
    item = with_files(items[0], File(f"{between.url()}/big", "application/pdf"))
    between.play(step)
    async with downloads(between.url()) as having:
        failed = await failure_of(having, item)
        assert failed.failure.kind is TOO_LARGE
        assert "0.0954 MB" in failed.failure.told_to_pleo().text, "the limit is named"
        assert len(between.requests) == 1, "it would be as large the next time"
        assert kept(tmp_path) == []
        between.play(steps.answer(200, PDF, content_type="application/pdf"))
        assert (await having.fetch(item))[0].path.read_bytes() == PDF


async def test_a_file_that_is_announced_too_large_is_not_asked_for(
    between: ScriptedServer, items: list[ExportItem], downloads: Downloads
) -> None:
    async with downloads(between.url()) as having:
        item = at(items[0], between.url())
        large = with_files(item, replace(item.files[0], size=SMALL.max_bytes + 1))
        assert (await failure_of(having, large)).failure.kind is TOO_LARGE
        assert between.requests == []
        just = with_files(item, replace(item.files[0], size=SMALL.max_bytes))
        assert len(await having.fetch(just)) == 1


@pytest.mark.parametrize(
    ("media_type", "path", "suffix"),
    [
        ("application/pdf", "/x", ".pdf"),
        ("Application/PDF; charset=binary", "/x.exe", ".pdf"),
        ("image/jpg", "/x", ".jpg"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "/x", ".docx"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "/x", ".xlsx"),
        ("application/vnd.ms-excel", "/x", ".xls"),
        ("application/octet-stream", "/a/receipt.PDF?x=.exe", ".pdf"),
        (None, "/a/receipt.jpeg", ".jpeg"),
    ],
)
async def test_formats_that_pleo_can_send_are_taken(
    between: ScriptedServer,
    items: list[ExportItem],
    downloads: Downloads,
    media_type: str | None,
    path: str,
    suffix: str,
) -> None:
    between.play(steps.answer(200, PDF, content_type="application/pdf"))
    async with downloads(between.url()) as having:
        (had,) = await having.fetch(with_files(items[0], File(f"{between.url()}{path}", media_type)))
    assert had.name.endswith(f"-1{suffix}")
    assert had.path.suffix == suffix
    assert had.media_type == had.media_type.strip().lower() and ";" not in had.media_type


@pytest.mark.parametrize(
    ("media_type", "path", "named"),
    [("image/webp", "/x.webp", "webp"), ("application/zip", "/x.pdf", "zip"), (None, "/x", "unknown")],
)
async def test_a_format_that_the_system_does_not_take_is_named_and_not_asked_for(
    between: ScriptedServer,
    items: list[ExportItem],
    downloads: Downloads,
    media_type: str | None,
    path: str,
    named: str,
) -> None:
    async with downloads(between.url()) as having:
        failed = await failure_of(having, with_files(items[0], File(f"{between.url()}{path}", media_type)))
        assert failed.failure.kind is FORMAT_REFUSED
        assert named in failed.failure.told_to_pleo().text
        assert between.requests == []
        assert len(await having.fetch(at(items[0], between.url()))) == 1


@pytest.mark.parametrize("book_id", ["", "../../etc/passwd", "a b", "№ 7", "x" * 51, 'a"b', "a\nb", "ä"])
async def test_a_book_id_that_is_no_file_name_gives_way_to_the_entrys_id(
    pleo: EmbeddedPleo, items: list[ExportItem], downloads: Downloads, tmp_path: Path, book_id: str
) -> None:
    information = replace(items[0].additional_information, reconciliation_id=book_id)
    odd = replace(items[0], additional_information=information)
    async with downloads(pleo.base_url) as having:
        first, second = await having.fetch(odd)
    assert first.name == f"pleo-{odd.accounting_entry_id}-1.png"
    assert second.name == f"pleo-{odd.accounting_entry_id}-2.pdf"
    assert {first.path, second.path} == set(kept(tmp_path))


async def test_a_large_file_is_streamed_to_the_disk(
    between: ScriptedServer, items: list[ExportItem], downloads: Downloads
) -> None:
    megabytes = 25
    item = with_files(items[0], File(f"{between.url()}/big", "application/pdf", megabytes << 20))
    between.play(drawn_out(announced=True, megabytes=megabytes))
    async with downloads(between.url(), PLEO_ATTACHMENTS, deadline=30) as having:
        tracemalloc.start()
        try:
            (had,) = await having.fetch(item)
            _now, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert had.path.stat().st_size == megabytes << 20
    assert most < 4 << 20


async def test_a_folder_that_cannot_be_written_is_no_fault_of_the_wire(
    pleo: EmbeddedPleo, items: list[ExportItem], downloads: Downloads, tmp_path: Path
) -> None:
    async with downloads(pleo.base_url, folder=tmp_path / "absent") as having:
        with pytest.raises(FileNotFoundError):
            await having.fetch(items[0])
    assert pleo.requests(path="/_sandbox/files/*") == []
    async with downloads(pleo.base_url) as having:
        assert len(await having.fetch(items[0])) == 2


async def test_a_full_disk_is_no_fault_of_the_wire(
    between: ScriptedServer, items: list[ExportItem], downloads: Downloads, tmp_path: Path
) -> None:
    item = at(items[0], between.url())
    target: Any = tmp_path / f"{item.accounting_entry_id}-1.png"
    target.symlink_to("/dev/full")
    async with downloads(between.url()) as having:
        with pytest.raises(OSError, match="No space left"):
            await having.fetch(item)
        assert len(between.requests) == 1, "it is not asked for again"
        assert kept(tmp_path) == []
        assert len(await having.fetch(item)) == 1
