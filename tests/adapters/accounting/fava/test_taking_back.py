"""What makes an error of the ledger is taken out again, to the byte, and the others stay."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest

from adapters.accounting.booking import Booked, Entry, EntryLine, Refused, Uncertain
from adapters.accounting.fava.taking_back import without
from adapters.accounting.item_failures import ItemFailureKind
from tests.adapters.accounting.fava.checking import opened
from tests.adapters.accounting.fava.entries import (
    TRAVEL,
    WALLET,
    all_booked,
    an_entry,
    balances,
    errors,
    stored,
)
from tests.support import steps
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

ENTRIES = [
    '2024-01-01 * "one"\n  a: "b"\n  A  1 EUR\n',
    '2024-01-02 ! "two"\n\tA  1 EUR\n',
    '2024-01-03 * "three"\n',
]
TEXTS = [
    "",
    "\n",
    "x",
    "x\n",
    "x\n\n",
    "x\n\n\n",
    "x\n  ",
    "x\n  y\n",
    '2023-01-01 * "old"\n  A  1 EUR',
    "; ü\n",
]


def appended(text: str, entries: list[str]) -> str:
    """As Fava does it (`insert_entry` of fava/core/file.py, without a position)."""
    return "".join([text, *(f"\n{entry}" for entry in entries)])


def inserted(text: str, entries: list[str]) -> str:
    """As Fava does it with a position, here that of the last line."""
    lines = text.splitlines(keepends=True)
    for entry in entries:
        lines.insert(len(lines) - 1, f"{entry}\n")
    return "".join(lines)


def first_lines(text: str, entries: tuple[str, ...]) -> set[int]:
    return {text[: text.index(entry)].count("\n") for entry in entries}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("write", [appended, inserted])
def test_every_choice_of_entries_leaves_the_bytes_of_the_others(
    text: str, write: Callable[[str, list[str]], str]
) -> None:
    if write is inserted:
        text = f'{text.rstrip(" ")}\n2020-01-01 custom "fava-option" "insert-entry" "A"\n'
    full = write(text, ENTRIES)
    for count in range(len(ENTRIES) + 1):
        for out in itertools.combinations(ENTRIES, count):
            left = [entry for entry in ENTRIES if entry not in out]
            assert without(full.split("\n"), first_lines(full, out)) == write(text, left)


LEAF_ONLY = '\nplugin "beancount.plugins.leafonly"\n2020-01-01 open Expenses:Travel:Rail\n'
ONE_COMMODITY = '\nplugin "beancount.plugins.onecommodity"\n'


def texts_of(result: object) -> str:
    assert isinstance(result, Refused)
    assert result.failure.kind is ItemFailureKind.REFUSED_BY_SYSTEM
    text = result.failure.told_to_pleo().text
    assert not {"/", "{", "<"} & set(text), text
    return text


async def books_without(fava: FavaServer, batch: list[Entry], bad: set[int]) -> list[str]:
    """Book the batch; all but the bad ones come in, and the text is as if those had never been sent."""
    good = [entry for at, entry in enumerate(batch) if at not in bad]
    before = fava.ledger.read_bytes()
    old_errors = errors(fava)
    async with opened(fava.url) as system:
        results = await system.book(batch)
        assert all_booked([result for result in results if isinstance(result, Booked)], good)
        texts = [texts_of(results[at]) for at in sorted(bad)]
        assert len(errors(fava)) == len(old_errors)
        after = fava.ledger.read_bytes()

        fava.ledger.write_bytes(before)
        assert all_booked(await system.book(good), good)
        assert fava.ledger.read_bytes() == after
    return texts


def replaced(fava: FavaServer, more: str) -> None:
    fava.ledger.write_text(ledger_text() + more)


async def test_an_error_that_a_plugin_reports_for_an_entry(fava: FavaServer) -> None:
    replaced(fava, LEAF_ONLY)
    batch = [
        an_entry(account="Expenses:Travel:Rail"),
        an_entry(account=TRAVEL),
        an_entry(account="Equity:Opening"),
    ]
    fava.ledger.write_text(fava.ledger.read_text().replace("  Expenses:Travel  ", "  Equity:Opening   "))
    assert errors(fava) == []
    [text] = await books_without(fava, batch, {1})
    assert text.startswith("Mend what the ledger would report, then export again: ")


@pytest.mark.parametrize("bad", [{0}, {2, 3}, {0, 1, 2, 3, 4}])
async def test_a_balance_that_would_be_wrong(fava: FavaServer, bad: set[int]) -> None:
    replaced(fava, "\n2024-06-30 balance Equity:Opening 0 EUR\n")
    after = dt.date(2024, 6, 30)
    batch = [an_entry(account="Equity:Opening", date=after) for _ in range(5)]
    for at in bad:
        batch[at] = an_entry(account="Equity:Opening", date=after - dt.timedelta(days=1))
    texts = await books_without(fava, batch, bad)
    assert set(texts) == {
        "Date the expense later; else the ledger's balance would be wrong on 2024-06-30, "
        "account Equity:Opening"
    }


async def test_errors_that_were_there_before_are_nobodys_fault(fava: FavaServer) -> None:
    """Also where every entry changes the amounts in their texts, and moves them to other lines."""
    broken = f'\n2024-02-02 * "unbalanced"\n  {TRAVEL}  1.00 EUR\n  {WALLET}  1.00 EUR\n'
    replaced(fava, f"\n2025-01-01 balance {WALLET} 7 EUR\n{broken}")
    assert len(errors(fava)) == 2
    assert await books_without(fava, [an_entry(), an_entry()], set()) == []


async def test_an_error_that_names_no_entry(fava: FavaServer) -> None:
    """The one to blame is found by halving."""
    replaced(fava, ONE_COMMODITY)
    batch = [an_entry(1000 + number) for number in range(6)]
    batch[4] = an_entry(currency="USD")
    texts = await books_without(fava, batch, {4})
    assert len(texts) == 1


async def test_someone_elses_error_at_the_same_moment(fava: FavaServer, between: ScriptedServer) -> None:
    def edit(method: str, path: str) -> None:
        if len(between.requests) == 9:
            with fava.ledger.open("a") as ledger:
                ledger.write("\n2024-02-02 balance Assets:Bank 5 EUR\n2024-01-01 close Assets:None\n")

    batch = [an_entry(), an_entry(), an_entry()]
    between.before_passing = edit
    async with opened(between.url(f"/{SLUG}")) as system:
        assert all_booked(await system.book(batch), batch)
    assert all(len(stored(fava, entry)) == 1 for entry in batch)
    assert len(errors(fava)) == 2


async def test_an_account_closed_between_the_check_and_the_booking(
    fava: FavaServer, between: ScriptedServer
) -> None:
    def close(method: str, path: str) -> None:
        if len(between.requests) == 8:
            with fava.ledger.open("a") as ledger:
                ledger.write(f"\n2024-02-01 close {TRAVEL}\n")

    fava.ledger.write_text(ledger_text(0))
    before = balances(fava)
    batch = [an_entry(), an_entry(account="Equity:Opening"), an_entry(date=dt.date(2024, 1, 5))]
    between.before_passing = close
    async with opened(between.url(f"/{SLUG}")) as system:
        results = await system.book(batch)
    assert [type(result) for result in results] == [Refused, Booked, Booked]
    assert texts_of(results[0]).endswith("account 'Expenses:Travel'")
    assert errors(fava) == []
    assert {name: float(sum_) for name, sum_ in balances(fava).items()} == {
        TRAVEL: 42.5,
        WALLET: -85,
        "Equity:Opening": 42.5,
    }
    assert before == {}


async def test_windows_line_ends_and_a_second_file(fava: FavaServer) -> None:
    second = fava.ledger.with_name("travel.beancount")
    main = ledger_text(0) + LEAF_ONLY + '\ninclude "travel.beancount"\n'
    fava.ledger.write_bytes(main.replace("\n", "\r\n").encode())
    option = '; top\n2020-01-01 custom "fava-option" "insert-entry" "Expenses:Travel"\n; end'
    second.write_text(option)
    bad = an_entry()
    also_bad = an_entry(lines=(EntryLine("Expenses", 5), EntryLine(WALLET, -5)))
    async with opened(fava.url) as system:
        results = await system.book([bad, also_bad])
    assert [type(result) for result in results] == [Refused, Refused]
    assert fava.ledger.read_bytes() == main.replace("\n", "\r\n").encode()
    assert second.read_text() == option


async def test_what_cannot_be_taken_back_is_uncertain(fava: FavaServer, between: ScriptedServer) -> None:
    """It may be in the books, with its error; the next look-up tells."""
    replaced(fava, LEAF_ONLY.replace("open Expenses:Travel:Rail", "open Equity:Opening:Deep"))
    bad = an_entry(account="Equity:Opening")

    async with opened(between.url(f"/{SLUG}")) as system:
        between.let_pass(12 + 3)
        between.play(steps.answer(503))
        [result] = await system.book([bad])
        assert between.requests[-1].path.endswith("/source") or "source?" in between.requests[-1].path
        assert isinstance(result, Uncertain)
        assert result.failure.kind is ItemFailureKind.REFUSED_BY_SYSTEM
        assert list(await system.find([bad.reference])) == [bad.reference]


@pytest.mark.parametrize("at", ["GET", "PUT"])
async def test_an_edit_while_it_is_taken_back(fava: FavaServer, between: ScriptedServer, at: str) -> None:
    """Before the file is read, so that the entry stands elsewhere, or before it is written."""
    replaced(fava, LEAF_ONLY.replace("open Expenses:Travel:Rail", "open Equity:Opening:Deep"))
    before = fava.ledger.read_text()

    def edit(method: str, path: str) -> None:
        asked = path.partition("?")[0]
        if method == at and asked.endswith("/source") and "; edited" not in fava.ledger.read_text():
            fava.ledger.write_text("; edited\n" + fava.ledger.read_text())

    between.before_passing = edit
    async with opened(between.url(f"/{SLUG}")) as system:
        [result] = await system.book([an_entry(account="Equity:Opening")])
    assert isinstance(result, Refused)
    assert fava.ledger.read_text() == "; edited\n" + before
