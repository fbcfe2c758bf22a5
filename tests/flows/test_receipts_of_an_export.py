"""Receipts in whole exports: kept with their entry once; without one, an item ends as configured."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from adapters.pleo.sandbox.receipts import MEDIA_TYPES, link, receipt
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.run import exit_code
from flows.item_rows import item_rows
from tests.flows.exports import BOOKS, Export, entries, links, make_job, statuses
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

FILES = "/_sandbox/files/*"
UPDATE = "updateExportJobItems"
BOOK_ANYWAY = {"WITHOUT_RECEIPT": "book"}


def file(kind: str = "pdf", name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"url": link(name or str(uuid4()), kind), "type": MEDIA_TYPES[kind], **more}


def job_with_files(pleo: EmbeddedPleo, *files_of_items: list[dict[str, Any]], **order: Any) -> str:
    """A job with one item for each list of files; the seed makes its other fields fit the books."""
    overrides = {str(n): {"files": files} for n, files in enumerate(files_of_items, start=1)}
    for ordinal, fields in order.pop("overrides", {}).items():
        overrides[ordinal] |= fields
    return make_job(pleo, len(files_of_items), types={"card_purchase": 1}, overrides=overrides, **order)


def kept(fava: FavaServer) -> dict[str, bytes]:
    """The files beside the ledger, by name."""
    folder = fava.ledger.parent / "documents"
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def named(fava: FavaServer) -> list[str]:
    """The files that entries name in the ledger, as often as they do."""
    lines = [line.strip() for line in fava.ledger.read_text().splitlines()]
    return sorted(line.split('"')[1].rpartition("/")[2] for line in lines if line.startswith("document"))


def outcomes(pleo: EmbeddedPleo, job_id: str) -> dict[str, str | None]:
    """By entry, `failureReasonType` of the items that failed, and None of those that did not."""
    return {item["accountingEntryId"]: item["failureReasonType"] for item in pleo.job(job_id)["items"]}


def reasons(pleo: EmbeddedPleo, job_id: str) -> list[str | None]:
    return list(outcomes(pleo, job_id).values())


async def test_every_file_is_kept_with_its_entry(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    one, two, three = (str(uuid4()) for _ in range(3))
    job_id = job_with_files(pleo, [file("png", one), file("pdf", two)], [], [file("pdf", three)])
    state, report = await export()
    assert state.name == "Exported", state.message
    assert statuses(pleo, job_id) == {"successful": 3}
    expected = {receipt(one, "png"), receipt(two, "pdf"), receipt(three, "pdf")}
    assert set(kept(fava).values()) == expected
    assert sorted(kept(fava)) == named(fava)
    first, _, third = (item["accountingEntryId"] for item in pleo.job(job_id)["items"])
    assert [sum(entry in name for name in named(fava)) for entry in (first, third)] == [2, 1]
    assert fava.ask("errors") == []
    assert [line.warnings for line in report.lines] == [[], [], []]


async def test_a_run_that_ends_before_it_reports_attaches_nothing_twice(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = job_with_files(pleo, [file("png"), file("pdf")], [file("pdf")], [])
    pleo.inject(kind="answer", operation=UPDATE, times=None, status=401)
    state, report = await export()
    assert exit_code(report) == 4
    files, names, ledger = kept(fava), named(fava), fava.ledger.read_text()
    assert len(files) == len(names) == 3
    pleo.clear_faults()
    state, report = await export()
    assert state.name == "Exported", state.message
    assert statuses(pleo, job_id) == {"successful": 3}
    assert (kept(fava), named(fava)) == (files, names)
    assert fava.ledger.read_text() == ledger, "nothing at all was written"
    assert {row["result"] for row in item_rows(report.lines)} == {"booked before"}


async def test_a_missing_receipt_fails_its_item_alone(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = job_with_files(pleo, [file()], [file(), file(name="lost")], [])
    state, report = await export()
    assert (state.name, exit_code(report)) == ("ExportedWithErrors", 5)
    assert sorted(reasons(pleo, job_id), key=str) == [None, None, "receipt_download_failure"]
    missed = next(entry for entry, reason in outcomes(pleo, job_id).items() if reason)
    assert links(fava) == sorted(set(entries(pleo, job_id)) - {missed}), "it is not in the books"
    assert len(kept(fava)) == 1, "nor is its other receipt"
    again = job_with_files(pleo, [file(), file()], overrides={"1": {"accountingEntryId": missed}})
    assert (await export())[0].name == "Exported"
    assert links(fava) == entries(pleo, job_id), "each of them once"
    assert entries(pleo, again) == [missed]
    assert len(kept(fava)) == len(named(fava)) == 3


@pytest.mark.slow
async def test_a_missing_receipt_of_what_is_booked_already_counts_the_same(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = job_with_files(pleo, [])
    await export()
    (entry,) = entries(pleo, job_id)
    overrides = {"1": {"accountingEntryId": entry}}
    lost = job_with_files(pleo, [file(name="lost")], overrides=overrides)
    state, _ = await export()
    assert state.name == "ExportFailed"
    assert list(reasons(pleo, lost)) == ["receipt_download_failure"]
    job_with_files(pleo, [file(name="lost")], overrides=overrides)
    state, _ = await export(BOOK_ANYWAY)
    assert (state.name, "1 without all" in (state.message or "")) == ("Exported", True)
    job_with_files(pleo, [file()], overrides=overrides)
    assert (await export())[0].name == "Exported"
    assert links(fava) == [entry]
    assert len(kept(fava)) == 1


@pytest.mark.slow
async def test_a_missing_receipt_can_be_a_warning(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = job_with_files(pleo, [file()], [file(name="lost")], [])
    state, report = await export(BOOK_ANYWAY)
    assert state.name == "Exported"
    assert statuses(pleo, job_id) == {"successful": 3}
    assert links(fava) == entries(pleo, job_id)
    assert "1 without all of their receipts" in (state.message or "")
    warnings = [row["warning"] for row in item_rows(report.lines) if row["warning"]]
    assert warnings == ["A receipt could not be downloaded from Pleo. Export the expense again."]
    # Exported once more, with the receipt, it gets that and no second entry.
    entry = next(str(line.reference) for line in report.lines if line.warnings)
    job_with_files(pleo, [file()], overrides={"1": {"accountingEntryId": entry}})
    state, report = await export(BOOK_ANYWAY)
    assert "receipts" not in (state.message or "")
    assert links(fava) == entries(pleo, job_id)
    assert sum(entry in name for name in kept(fava)) == 1


@pytest.mark.slow
async def test_a_download_that_fails_once_is_repeated_unseen(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_with_files(pleo, [file()])
    pleo.inject(kind="truncate", path=FILES)
    state, _ = await export()
    assert state.name == "Exported", state.message
    assert len(kept(fava)) == 1
    assert len(pleo.requests(path=FILES)) == 2


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        pytest.param({"size": 31 * 1024 * 1024}, "receipt_file_size_limit_exceeded", marks=pytest.mark.slow),
        pytest.param({"type": "image/webp"}, "receipt_conversion_failure", marks=pytest.mark.slow),
        ({"url": "https://[odd/receipt", "type": None}, "receipt_download_failure"),
    ],
)
async def test_a_receipt_that_is_not_taken_fails_its_item_alone(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, odd: dict[str, Any], reason: str
) -> None:
    job_id = job_with_files(pleo, [file(**odd)] if "url" not in odd else [odd], [file()])
    state, _ = await export()
    assert state.name == "ExportedWithErrors", state.message
    assert sorted(reasons(pleo, job_id), key=str) == [None, reason]
    assert len(links(fava)) == len(kept(fava)) == 1
    missed = next(entry for entry, why in outcomes(pleo, job_id).items() if why)
    job_with_files(pleo, [file()], overrides={"1": {"accountingEntryId": missed}})
    assert (await export())[0].name == "Exported"
    assert len(links(fava)) == len(kept(fava)) == 2


@pytest.fixture
def without_folder(fava: FavaServer) -> FavaServer:
    """The ledger names no folder for documents."""
    fava.ledger.write_text(BOOKS.replace('option "documents" "documents"\n', ""))
    return fava


async def test_a_ledger_without_a_documents_folder(
    pleo: EmbeddedPleo, export: Export, without_folder: FavaServer
) -> None:
    fava = without_folder
    job_id = job_with_files(pleo, [file()], [])
    state, _ = await export()
    assert state.name == "ExportedWithErrors"
    assert sorted(reasons(pleo, job_id), key=str) == [None, "receipt_upload_failure"]
    assert links(fava) == entries(pleo, job_id), "the entry itself stays booked"
    assert kept(fava) == {}
    # With the folder, the item is exported once more: its entry is found and gets the receipt.
    (fava.ledger.parent / "documents").mkdir()
    fava.ledger.write_text('option "documents" "documents"\n' + fava.ledger.read_text())
    missed = next(entry for entry, why in outcomes(pleo, job_id).items() if why)
    again = job_with_files(pleo, [file()], overrides={"1": {"accountingEntryId": missed}})
    assert (await export())[0].name == "Exported"
    assert statuses(pleo, again) == {"successful": 1}
    assert links(fava) == entries(pleo, job_id)
    assert len(kept(fava)) == len(named(fava)) == 1
    assert fava.ask("errors") == []


@pytest.mark.slow
@pytest.mark.slow
async def test_a_ledger_without_a_documents_folder_can_be_a_warning(
    pleo: EmbeddedPleo, export: Export, without_folder: FavaServer
) -> None:
    job_id = job_with_files(pleo, [file()], [])
    state, report = await export(BOOK_ANYWAY)
    assert state.name == "Exported"
    assert "1 without all of their receipts" in (state.message or "")
    assert statuses(pleo, job_id) == {"successful": 2}
    assert [bool(row["warning"]) for row in item_rows(report.lines)].count(True) == 1
