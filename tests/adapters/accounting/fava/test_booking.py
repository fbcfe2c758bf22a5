"""Entries come into the books of a real Fava: with their amounts, once, and whatever texts they hold."""

from __future__ import annotations

import datetime as dt
import urllib.parse
import urllib.request
from decimal import Decimal

import pytest

from adapters.accounting.booking import Booked, EntryLine, Posting, Refused, Tag
from adapters.accounting.fava.transactions import amount_text, can_be_written
from adapters.accounting.item_failures import ItemFailureKind
from tests.adapters.accounting.fava.checking import opened
from tests.adapters.accounting.fava.entries import (
    DAY,
    TRAVEL,
    WALLET,
    all_booked,
    an_entry,
    balances,
    errors,
    rows,
    stored,
)
from tests.support.fava_server import FavaServer, ledger_text


def second_entry(fava: FavaServer, of: str) -> None:
    """Someone else books under the same link."""
    fava.ledger.write_text(f'{fava.ledger.read_text()}\n2024-09-01 * "again" ^{of}\n  {WALLET}  0 EUR\n')


def status_of(url: str) -> int:
    with urllib.request.urlopen(url, timeout=30) as page:
        status: int = page.status
    return status


async def test_books_and_balances(fava: FavaServer) -> None:
    before = balances(fava)
    amounts = [4250, 1, 99, 100, 10_000_000_05, -1999, -7]
    split = an_entry(
        lines=(EntryLine(TRAVEL, 333), EntryLine("Liabilities:Employees", -1000), EntryLine(TRAVEL, 667))
    )
    batch = [*(an_entry(amount) for amount in amounts), split]
    async with opened(fava.url) as system:
        results = await system.book(batch)
        assert all_booked(results, batch)
        after = balances(fava)
        spent = sum(amounts)
        assert after[TRAVEL] - before[TRAVEL] == Decimal(spent + 1000) / 100
        assert after[WALLET] - before[WALLET] == Decimal(-spent) / 100
        assert after["Liabilities:Employees"] == Decimal("-10.00")
        assert errors(fava) == []
        for result in results:
            assert isinstance(result, Booked)
            assert result.at is not None
            assert abs(result.at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("hundredths", "text"),
    [
        (4250, "42.50 EUR"),
        (-4250, "-42.50 EUR"),
        (5, "0.05 EUR"),
        (-5, "-0.05 EUR"),
        (10**17, f"1{'0' * 15}.00 EUR"),
    ],
)
def test_amounts_are_written_exactly(hundredths: int, text: str) -> None:
    assert amount_text(hundredths, "EUR") == text


@pytest.mark.parametrize(
    ("account", "can"),
    [
        ("Expenses:Travel", True),
        ("Expenses:6400-Reisen:Öffentlich", True),
        ("支出:旅行", True),
        ("Expenses", False),
        ("Expenses:travel", False),
        ("Expenses:Travel ; x", False),
        ("Expenses:Travel\n", False),
        ("Expenses:Tra\u2028vel", False),
        ('Expenses:"x"', False),
        ("! Expenses:Travel", False),
    ],
)
def test_accounts_that_can_be_written(account: str, can: bool) -> None:
    """Also one that a ledger were to have must not leave its field."""
    assert can_be_written(an_entry(account=account)) is can


async def test_draft_and_final(fava: FavaServer) -> None:
    draft, final = an_entry(posting=Posting.DRAFT), an_entry(posting=Posting.FINAL)
    async with opened(fava.url) as system:
        await system.book([draft, final])
    assert stored(fava, draft) == [["!", "DB", "Train"]]
    assert stored(fava, final) == [["*", "DB", "Train"]]


async def test_found_after_a_restart_and_booked_once(own_fava: FavaServer) -> None:
    batch = [an_entry(amount) for amount in (100, 200, 300)]
    async with opened(own_fava.url) as system:
        assert await system.find([entry.reference for entry in batch]) == {}
        assert all_booked(await system.book(batch), batch)
    text = own_fava.ledger.read_bytes()
    own_fava.restart()
    async with opened(own_fava.origin) as system:
        found = await system.find([entry.reference for entry in [*batch, an_entry()]])
        assert list(found) == [entry.reference for entry in batch]
        assert await system.book(batch) == [found[entry.reference] for entry in batch]
    assert own_fava.ledger.read_bytes() == text


async def test_twice_in_a_batch_is_booked_once(fava: FavaServer) -> None:
    entry = an_entry()
    async with opened(fava.url) as system:
        first, second = await system.book([entry, entry])
    assert first == second
    assert len(stored(fava, entry)) == 1


async def test_an_entry_that_is_there_twice_is_not_booked_a_third_time(fava: FavaServer) -> None:
    entry = an_entry()
    async with opened(fava.url) as system:
        [result] = await system.book([entry])
        assert isinstance(result, Booked)
        second_entry(fava, result.external_id)
        found = await system.find([entry.reference])
        assert found[entry.reference].external_id == result.external_id
        assert all_booked(await system.book([entry]), [entry])
    assert len(stored(fava, entry)) == 2


async def test_people_find_it_by_its_link_and_address(fava: FavaServer) -> None:
    entry, other = an_entry(description="This very trip"), an_entry(description="Another trip")
    async with opened(fava.origin) as system:
        [booked, _] = await system.book([entry, other])
    assert isinstance(booked, Booked)
    assert booked.external_id == f"pleo-{entry.reference}"
    assert booked.external_url == f"{fava.url}/journal/?filter=%5Epleo-{entry.reference}"
    assert status_of(booked.external_url) == 200
    # The page has its script ask for this, with the page's own filter.
    query = urllib.parse.urlsplit(booked.external_url).query
    journal = fava.ask(f"journal_page?page=1&order=desc&{query}")["journal"]
    assert "This very trip" in journal
    assert "Another trip" not in journal


async def test_examine(fava: FavaServer) -> None:
    with fava.ledger.open("a") as ledger:
        ledger.write("\n2020-01-01 open Expenses:Dollars USD,GBP\n2030-01-01 open Expenses:Later\n")
    old = {"lines": (EntryLine("Assets:Old", 100), EntryLine(WALLET, -100))}
    good = [
        an_entry(),
        an_entry(account="Expenses:Dollars", currency="USD"),
        an_entry(date=dt.date(2020, 1, 1)),
        an_entry(date=dt.date(2021, 1, 1), **old),
    ]
    unknown = [
        an_entry(account="Expenses:Nowhere"),
        an_entry(account="Expenses:Later"),
        an_entry(date=dt.date(2021, 1, 2), **old),
        an_entry(date=dt.date(2019, 12, 31)),
        an_entry(account='Expenses:Travel\n2024-01-01 open Expenses:Evil\n; "'),
        an_entry(account=""),
    ]
    refused = [
        an_entry(account="Expenses:Dollars"),
        an_entry(currency="EUR @ 2 USD"),
        an_entry(currency="€"),
        an_entry(10**18),
    ]
    text = fava.ledger.read_bytes()
    async with opened(fava.url) as system:
        failures = await system.examine([*good, *unknown, *refused])
        assert {reference: failure.kind for reference, failure in failures.items()} == {
            **{entry.reference: ItemFailureKind.ACCOUNT_UNKNOWN for entry in unknown},
            **{entry.reference: ItemFailureKind.REFUSED_BY_SYSTEM for entry in refused},
        }
        assert (
            failures[unknown[0].reference].told_to_pleo().text.startswith("Account No. Expenses:Nowhere does")
        )
        assert failures[refused[0].reference].told_to_pleo().text == (
            "Account Expenses:Dollars takes no amounts in EUR. Check Category."
        )
        assert fava.ledger.read_bytes() == text

        results = await system.book([*unknown, *refused, *good])
        assert [type(result) for result in results] == [Refused] * 10 + [Booked] * 4
    assert errors(fava) == []


async def test_every_day_is_open(fava: FavaServer) -> None:
    async with opened(fava.url) as system:
        assert await system.next_open_day(DAY) == DAY


async def test_batch_sizes(fava: FavaServer) -> None:
    async with opened(fava.url) as system:
        assert await system.book([]) == []
        too_many = [an_entry()] * (system.capabilities.batch_size + 1)
        with pytest.raises(ValueError, match="more entries"):
            await system.book(too_many)
    assert fava.ledger.read_text() == ledger_text()


KEPT = [
    'He said "42" and left',
    '"',
    "\\",
    'back\\slash \\n \\" end\\',
    "^pleo-other #tag ; comment | pipe",
    '" ^pleo-x\n',
    "2024-01-01 close Assets:Pleo",
    "  Assets:Pleo  1.00 EUR",
    "*",
    "a 1.00 EUR b 2 USD",
    "{x} %s $y",
    "' or 1=1 --",
    "ünïcödé 発票 😀 עברית e\u0301",
    "x" * 10_000,
    "<class 'beancount.core.number'>",
    "",
]
CLEANED = {
    "one\ntwo\r\nthree": "one two three",
    'x"\n2024-01-01 open Evil:Account\n"': 'x" 2024-01-01 open Evil:Account "',
    "a\u2028b\u2029c\x0bd\x0ce\x1cf\x85g": "a b c d e f g",
    "nul\x00 tab\t bell\x07 \u202ereversed": "nul tab bell reversed",
    "lone \ud83d surrogate": "lone surrogate",
    "x" * 10_001: "x" * 9_999 + "…",
}


async def test_hostile_texts_stay_in_their_fields(fava: FavaServer) -> None:
    texts = {text: " ".join(text.split()) for text in KEPT} | CLEANED
    batch = {
        text: an_entry(
            payee=text,
            description=text,
            details={"reconciliation-id": text, text: "key"},
            lines=(
                EntryLine(TRAVEL, 100, text, (Tag(text, text), Tag("Team", text)), tax_code=text),
                EntryLine(WALLET, -100),
            ),
        )
        for text in texts
    }
    accounts = rows(fava, "select account from #accounts")
    async with opened(fava.url) as system:
        assert all_booked(await system.book(list(batch.values())), list(batch.values()))
    assert errors(fava) == []
    assert rows(fava, "select account from #accounts") == accounts
    found = {
        links[0]: rest
        for links, *rest in rows(fava, "select links, payee, narration, tags from #entries")
        if links
    }
    keys = ("description", "tax-code", "tag-team")
    columns = ", ".join(f"meta('{key}')" for key in keys)
    metadata = {
        links[0]: rest
        for links, *rest in rows(
            fava,
            f"select links, entry_meta('reconciliation-id'), {columns} where number = 1 and currency = 'EUR'",
        )
    }
    for text, clean in texts.items():
        link = f"pleo-{batch[text].reference}"
        assert found[link] == [clean or None, clean, []]
        assert metadata[link] == [str(clean or None)] * 4


async def test_metadata_keys_that_mean_something(fava: FavaServer) -> None:
    """Reserved keys, the same key twice, and names without a letter."""
    reserved = {"filename": "a", "lineno": "b", "pleo-id": "c", "document": "d"}
    odd = {"Über Uns": "e", "über-uns": "f", "発票": "g", "7": "h", "x" * 100: "i", "empty": ""}
    entry = an_entry(details=reserved | odd)
    async with opened(fava.url) as system:
        assert all_booked(await system.book([entry]), [entry])
    text = fava.ledger.read_text()
    header = text.index(f"^pleo-{entry.reference}")
    written = dict(line.strip().split(": ") for line in text[header:].split("\n")[1:11])
    assert written == {
        "pleo-id": f'"{entry.reference}"',
        "pleo-filename": '"a"',
        "pleo-lineno": '"b"',
        "pleo-pleo-id": '"c"',
        "pleo-document": '"d"',
        "uber-uns": '"e"',
        "uber-uns-2": '"f"',
        "pleo-detail": '"g"',
        "pleo-7": '"h"',
        "x" * 60: '"i"',
    }
    assert errors(fava) == []
