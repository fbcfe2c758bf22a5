"""The items table says of every item what became of it, whatever is known of it."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from adapters.accounting.booking import Booked, Entry, EntryLine, Refused
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.pleo.client import PleoClient
from adapters.pleo.export_items import ExportItem
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import PleoSettings
from flows.item_rows import item_rows
from flows.lines import Line
from flows.terminal import print_items

REFERENCE = uuid4()
UNREADABLE = ItemFailure(ItemFailureKind.PAYLOAD_UNREADABLE)
NOT_HAD = ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED)
TOO_LARGE = ItemFailure(ItemFailureKind.RECEIPT_TOO_LARGE, {"limit": "30 MB"})
ENTRY = Entry(
    REFERENCE,
    dt.date(2026, 3, 2),
    "EUR",
    "Shop",
    "Two\nlamps",
    (
        EntryLine("Expenses:Office", 1000),
        EntryLine("Expenses:Tax", 190),
        EntryLine("Expenses:Office", 500),
        EntryLine("Assets:Pleo", -1690),
    ),
)


@pytest.fixture
async def item(pleo: EmbeddedPleo) -> ExportItem:
    job = UUID(pleo.create_job(1, types={"card_purchase": 1}))
    settings = PleoSettings.model_validate({"base_url": pleo.base_url, "api_key": pleo.api_key})
    async with PleoClient(settings, UUID(str(pleo.company_id))) as client:
        (found,) = await client.list_export_items(job)
    assert isinstance(found, ExportItem)
    return found


def row(**fields: object) -> dict[str, str]:
    (only,) = item_rows([Line(REFERENCE, **fields)])  # type: ignore[arg-type]
    return only


def test_no_items_are_no_rows() -> None:
    assert item_rows([]) == []


def test_an_item_of_which_nothing_can_be_read_has_its_reason() -> None:
    shown = row(result=Refused(REFERENCE, UNREADABLE))
    assert (shown["item"], shown["result"]) == (str(REFERENCE), "failed")
    assert shown["entry or reason"] == UNREADABLE.told_to_pleo().text
    assert [shown[name] for name in ("date", "amount", "debit / credit", "description", "warning")] == [
        ""
    ] * 5


async def test_an_amount_has_two_decimals_and_the_wallets_currency(item: ExportItem) -> None:
    money = replace(item.amount.in_wallet_currency, value=-1234500, currency="SEK")
    odd = replace(item, amount=replace(item.amount, in_wallet_currency=money))
    shown = row(item=odd)
    assert (shown["amount"], shown["result"]) == ("-12345.00 SEK", "to be booked")
    assert shown["date"] == f"{item.date:%Y-%m-%d}"


async def test_the_date_is_the_one_that_is_booked(item: ExportItem) -> None:
    assert row(item=item, entry=ENTRY)["date"] == "2026-03-02", "not that of the item, if it was moved"


def test_accounts_are_named_once_each_and_a_description_is_one_short_line() -> None:
    shown = row(entry=ENTRY)
    assert shown["debit / credit"] == "Expenses:Office, Expenses:Tax / Assets:Pleo"
    assert shown["description"] == "Two lamps"
    long = row(entry=replace(ENTRY, description="lamp " * 100))["description"]
    assert 0 < len(long) <= 60


def test_an_entry_is_named_by_its_link_else_by_its_id() -> None:
    booked = Booked(REFERENCE, "MOVE/7", "https://erp.example/7")
    assert row(entry=ENTRY, result=booked)["entry or reason"] == "https://erp.example/7"
    assert row(entry=ENTRY, result=replace(booked, external_url=None))["entry or reason"] == "MOVE/7"
    assert row(result=booked)["result"] == "booked"
    assert row(result=booked, earlier=True)["result"] == "booked before"


def test_a_booked_item_shows_all_of_its_warnings() -> None:
    shown = row(result=Booked(REFERENCE, "MOVE/7"), warnings=[NOT_HAD, TOO_LARGE])
    assert shown["result"] == "booked"
    assert shown["warning"] == f"{NOT_HAD.told_to_pleo().text} {TOO_LARGE.told_to_pleo().text}"


def test_an_entry_that_is_booked_once_more_says_so_and_names_the_first_one() -> None:
    line = Line(REFERENCE, entry=ENTRY, first=Booked(REFERENCE, "2026/17"))
    (row,) = item_rows([line])
    assert row["result"] == "to be booked again"
    line.result = Booked(REFERENCE, "2026/18")
    (row,) = item_rows([line])
    assert (row["result"], "2026/17" in row["warning"]) == ("booked again", True)
    line.refuse(TOO_LARGE)
    (row,) = item_rows([line])
    assert (row["result"], row["warning"]) == ("failed", "")


def test_of_very_many_items_a_terminal_shows_what_a_person_should_see() -> None:
    lines = [Line(uuid4(), entry=ENTRY, result=Booked(uuid4(), "1")) for _ in range(1000)]
    lines[900].refuse(UNREADABLE)
    lines[950].warnings.append(NOT_HAD)
    console = Console(record=True, width=120, file=io.StringIO())
    print_items("Items", item_rows(lines), console)
    shown = console.export_text()
    assert "Items: 200 of 1000" in shown
    assert [str(line.reference)[:8] in shown for line in (lines[900], lines[950], lines[0], lines[999])] == [
        True,
        True,
        True,
        False,
    ]
    few = Console(record=True, width=120, file=io.StringIO())
    print_items("Items", item_rows(lines[:150]), few)
    assert all(str(line.reference)[:8] in few.export_text(clear=False) for line in lines[:150])
