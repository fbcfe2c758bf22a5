"""Entries come into Tryton once, complete and exact; what it would not take is told one by one."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from adapters.accounting.booking import Booked, EntryLine, Posting, Refused, Tag
from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.item_failures import ItemFailureKind
from adapters.accounting.tryton.adapter import TrytonSystem
from adapters.accounting.tryton.booking import BATCH_SIZE
from tests.adapters.accounting.tryton.conftest import Ledger, a_ledger
from tests.adapters.accounting.tryton.entries import (
    DAY,
    YEAR,
    an_entry,
    book_one,
    booked,
    entries,
    references,
    refused,
)
from tests.support.tryton_server import ACCOUNT, HEADING, OTHER_ACCOUNT, TrytonServer, open_periods

THIRD_ACCOUNT = "5.1.3"
PARTY_ACCOUNT = "1.1.2"


@pytest.fixture
async def system(ledger: Ledger) -> AsyncIterator[TrytonSystem]:
    async with ledger.connection.system() as system:
        yield system


@contextlib.contextmanager
def changed(ledger: Ledger, account: str, **values: Any) -> Iterator[None]:
    """Change an account for a while."""
    record = ledger.admin.find_one("account.account", code=account, company=ledger.company)
    (before,) = ledger.admin.call("model.account.account.read", [record], list(values))
    ledger.admin.write("account.account", [record], **values)
    try:
        yield
    finally:
        ledger.admin.write("account.account", [record], **{name: before[name] for name in values})


async def test_tryton_itself_has_the_sums_of_the_entries_on_each_account(tryton: TrytonServer) -> None:
    amounts = [1, -1, 7, 99, 100, -101, 999_999_999_99, -250, 12_345]
    given = [
        an_entry(amount, posting=posting) for amount in amounts for posting in (Posting.DRAFT, Posting.FINAL)
    ]
    split = (EntryLine(OTHER_ACCOUNT, 1001), EntryLine(THIRD_ACCOUNT, -334), EntryLine(ACCOUNT, -667))
    given.append(an_entry(lines=split))
    expected: Counter[str] = Counter()
    for entry in given:
        expected.update({line.account: 0 for line in entry.lines})
        for line in entry.lines:
            expected[line.account] += line.amount
    with a_ledger(tryton) as ledger:
        async with ledger.connection.system() as system:
            assert all(isinstance(result, Booked) for result in await system.book(given))
        for code, hundredths in expected.items():
            account = ledger.admin.find_one("account.account", code=code, company=ledger.company)
            (read,) = ledger.admin.call("model.account.account.read", [account], ["balance"])
            assert Decimal(read["balance"]["decimal"]) * 100 == hundredths
        found = ledger.moves(*references(given))
        assert Counter(move["state"] for move in found) == {"draft": 10, "posted": 9}


async def test_a_draft_has_what_the_entry_says(ledger: Ledger, system: TrytonSystem) -> None:
    first = EntryLine(OTHER_ACCOUNT, 119, "Food", tags=(Tag("Team", "R&D"),), tax_code="V19")
    entry = an_entry(lines=(first, EntryLine(ACCOUNT, -119)), details={"reconciliation-id": "r-1"})
    result = await booked(system, entry)
    (move,) = ledger.moves(entry.reference)
    assert move["description"] == f"pleo:{entry.reference} Cafe: Lunch [reconciliation-id: r-1]"
    assert move["date"] == {"__class__": "date", "year": YEAR, "month": 6, "day": 15}
    assert (move["state"], move["rec_name"]) == ("draft", result.external_id)
    lines = ledger.lines(move)
    assert [line["description"] for line in lines] == ["Food [Team: R&D] [tax: V19]", ""]
    assert [line["debit"]["decimal"] for line in lines] == ["1.19", "0.00"]
    assert [line["credit"]["decimal"] for line in lines] == ["0.00", "1.19"]
    assert result.at is not None
    assert abs(dt.datetime.now(dt.UTC) - result.at) < dt.timedelta(minutes=1)
    assert result.external_url is None  # this Tryton serves no web client


async def test_final_is_posted_and_has_a_number(ledger: Ledger, system: TrytonSystem) -> None:
    entry = an_entry(posting=Posting.FINAL)
    result = await booked(system, entry)
    (move,) = ledger.moves(entry.reference)
    assert (move["state"], move["number"]) == ("posted", result.external_id)
    assert await system.find([entry.reference]) == {
        entry.reference: Booked(entry.reference, result.external_id)
    }


@pytest.mark.parametrize("posting", list(Posting))
async def test_booked_twice_is_booked_once(ledger: Ledger, system: TrytonSystem, posting: Posting) -> None:
    given = entries(5, posting=posting)
    assert await system.find(references(given)) == {}
    first = await system.book(given[:3])
    again = await system.book(given)
    assert [each.reference for each in again] == references(given)
    for before, after in zip(first, again, strict=False):
        assert isinstance(before, Booked)
        assert isinstance(after, Booked)
        assert (before.external_id, after.at) == (after.external_id, None)
    assert len(ledger.moves(*references(given))) == 5
    assert set(await system.find([*references(given), uuid4()])) == set(references(given))


async def test_an_entry_that_a_person_copied_or_moved_is_still_found_as_the_first(
    ledger: Ledger, system: TrytonSystem
) -> None:
    entry = an_entry()
    result = await booked(system, entry)
    (move,) = ledger.moves(entry.reference)
    ledger.admin.call("model.account.move.copy", [move["id"]])
    other = ledger.admin.find_one("account.journal", code="REV")
    ledger.admin.write("account.move", [move["id"]], journal=other)
    assert len(ledger.moves(entry.reference)) == 2
    assert (await system.find([entry.reference]))[entry.reference].external_id == result.external_id
    assert (await booked(system, entry)).external_id == result.external_id
    assert len(ledger.moves(entry.reference)) == 2


async def test_one_bad_entry_among_twenty_is_found_alone(ledger: Ledger, system: TrytonSystem) -> None:
    # It looks good beforehand: only Tryton knows that this account was not yet in use on that day.
    given = entries(19)
    bad = an_entry(account=THIRD_ACCOUNT, date=dt.date(YEAR - 1, 6, 15))
    given.insert(13, bad)
    with changed(ledger, THIRD_ACCOUNT, start_date=dt.date(YEAR, 1, 1)):
        assert await system.examine(given) == {}
        results = await system.book(given)
    refusal = results.pop(13)
    assert isinstance(refusal, Refused)
    assert refusal.failure.kind is ItemFailureKind.REFUSED_BY_SYSTEM
    assert '"5.1.3 - Services" for field "Account"' in refusal.failure.told_to_pleo().text
    assert all(isinstance(result, Booked) for result in results)
    assert len(ledger.moves(*references(given))) == 19
    assert isinstance((await system.book(given))[13], Booked)
    assert len(ledger.moves(*references(given))) == 20


async def test_a_rule_that_forbids_single_entries_refuses_those_alone_and_in_words(
    ledger: Ledger, system: TrytonSystem
) -> None:
    given = [*entries(3), an_entry(description="Casino")]
    model = "account.move"
    rule = ledger.admin.create(
        "ir.rule.group",
        name="No gambling",
        model=model,
        global_p=True,
        perm_read=False,
        perm_write=False,
        perm_delete=False,
        perm_create=True,
        rules=[["create", [{"domain": '[["description", "not like", "%Casino%"]]'}]]],
    )
    try:
        results = await system.book(given)
    finally:
        ledger.admin.call("model.ir.rule.group.delete", [rule])
    assert [type(result) for result in results] == [Booked, Booked, Booked, Refused]
    assert isinstance(results[3], Refused)
    assert results[3].failure.kind is ItemFailureKind.REFUSED_BY_SYSTEM
    assert "Account Move" in results[3].failure.told_to_pleo().text
    assert isinstance(await book_one(system, given[3]), Booked)


async def test_a_user_who_may_no_longer_create_is_told_at_once(ledger: Ledger) -> None:
    model, given = "account.move", entries(8)
    granted = ledger.admin.find("ir.model.access", model=model)
    async with ledger.connection.system() as system:
        ledger.admin.write("ir.model.access", granted, active=False)
        reading = ledger.admin.create("ir.model.access", model=model, perm_read=True, perm_write=True)
        try:
            results = await system.book(given)
        finally:
            ledger.admin.call("model.ir.model.access.delete", [reading])
            ledger.admin.write("ir.model.access", granted, active=True)
        assert {result.failure.kind for result in results if isinstance(result, Refused)} == {
            ItemFailureKind.SYSTEM_DENIES_ACCESS
        }
        assert all(isinstance(result, Booked) for result in await system.book(given))


async def test_what_cannot_be_posted_stays_a_draft_that_is_told_and_posted_later(
    ledger: Ledger, system: TrytonSystem
) -> None:
    given = entries(2, posting=Posting.FINAL)
    button = ledger.admin.find("ir.model.button", **{"model.name": "account.move", "name": "post"})
    group = ledger.admin.create("res.group", name=f"Posters {uuid4()}")
    ledger.admin.write("ir.model.button", button, groups=[["add", [group]]])
    try:
        results = await system.book(given)
        assert await system.find(references(given)) == {}
    finally:
        ledger.admin.write("ir.model.button", button, groups=[["remove", [group]]])
    for result in results:
        assert isinstance(result, Refused)
        assert result.failure.told_to_pleo().text == (
            "In Tryton as a draft that it would not post: "
            'Calling button "post on "Account Move" is not allowed.'
        )
    assert {move["state"] for move in ledger.moves(*references(given))} == {"draft"}
    assert all(isinstance(result, Booked) for result in await system.book(given))
    assert [move["state"] for move in ledger.moves(*references(given))] == ["posted", "posted"]


async def test_a_draft_that_tryton_will_not_post_is_told_in_its_words(
    ledger: Ledger, system: TrytonSystem
) -> None:
    draft = an_entry(posting=Posting.FINAL)
    admin = ledger.admin
    button = admin.find("ir.model.button", **{"model.name": "account.move", "name": "post"})
    group = admin.create("res.group", name=f"Posters {uuid4()}")
    admin.write("ir.model.button", button, groups=[["add", [group]]])
    await refused(system, draft, ItemFailureKind.REFUSED_BY_SYSTEM)
    admin.write("ir.model.button", button, groups=[["remove", [group]]])
    (move,) = ledger.moves(draft.reference)
    (line, _) = sorted(move["lines"])
    debit = {"__class__": "Decimal", "decimal": "42.51"}
    admin.write("account.move.line", [line], debit=debit)  # a person spoils it
    failure = await refused(system, draft, ItemFailureKind.REFUSED_BY_SYSTEM)
    assert "you must balance" in failure.told_to_pleo().text
    admin.write("account.move.line", [line], debit={"__class__": "Decimal", "decimal": "42.50"})
    assert (await booked(system, draft)).external_id
    assert [move["state"] for move in ledger.moves(draft.reference)] == ["posted"]


async def test_a_closed_period_is_known_beforehand_and_the_next_open_day_is_given(
    ledger: Ledger, system: TrytonSystem
) -> None:
    last_year = dt.date(YEAR - 1, 3, 10)
    entry, fine = an_entry(date=last_year), an_entry()
    march = open_periods(ledger.admin, ledger.company, of=last_year)
    ledger.admin.press("account.period", "close", march)
    try:
        assert {each: flaw.kind for each, flaw in (await system.examine([entry, fine])).items()} == {
            entry.reference: ItemFailureKind.PERIOD_CLOSED
        }
        await refused(system, entry, ItemFailureKind.PERIOD_CLOSED)
        assert await system.next_open_day(last_year) == dt.date(YEAR - 1, 4, 1)
        assert await system.next_open_day(dt.date(YEAR - 2, 5, 5)) == dt.date(YEAR - 1, 1, 1)
        assert await system.next_open_day(DAY) == DAY
        assert await system.next_open_day(dt.date(YEAR + 1, 1, 1)) is None
    finally:
        ledger.admin.press("account.period", "reopen", march)
    assert await system.next_open_day(last_year) == last_year
    await booked(system, entry)


async def test_a_journal_closed_in_a_period_is_known_beforehand(ledger: Ledger, system: TrytonSystem) -> None:
    day = dt.date(YEAR - 1, 8, 8)
    period = open_periods(ledger.admin, ledger.company, of=day)[0]
    journal = ledger.admin.find_one("account.journal", code="EXP")
    shut = ledger.admin.create("account.journal.period", journal=journal, period=period)
    ledger.admin.press("account.journal.period", "close", [shut])
    entry = an_entry(date=day)
    await refused(system, entry, ItemFailureKind.PERIOD_CLOSED)
    ledger.admin.press("account.journal.period", "reopen", [shut])
    await booked(system, entry)


async def test_entries_that_tryton_would_not_take_are_known_beforehand(
    ledger: Ledger, system: TrytonSystem
) -> None:
    unknown, heading = an_entry(account="9.9.9"), an_entry(account=HEADING)
    dollars, party, fine = an_entry(currency="USD"), an_entry(account=PARTY_ACCOUNT), an_entry()
    with changed(ledger, PARTY_ACCOUNT, party_required=True):
        flaws = await system.examine([unknown, heading, dollars, party, fine])
        assert await system.book([party]) == [Refused(party.reference, flaws[party.reference])]
    assert {reference: flaw.told_to_pleo().text for reference, flaw in flaws.items()} == {
        unknown.reference: "Account No. 9.9.9 does not exist in the Accounting System. Check Category.",
        heading.reference: f"Account {HEADING} is a heading without a type in Tryton. "
        "Choose another account.",
        dollars.reference: "The books are kept in EUR, not in USD. Book this expense by hand.",
        party.reference: f"Account {PARTY_ACCOUNT} needs a party on every line in Tryton. "
        "Choose another account.",
    }
    assert await system.examine([party, fine]) == {}
    with changed(ledger, PARTY_ACCOUNT, closed=True):
        assert "is closed" in (await system.examine([party]))[party.reference].told_to_pleo().text
    assert [type(result) for result in await system.book([unknown, party, fine])] == [Refused, Booked, Booked]
    assert not system.capabilities.multi_currency


async def test_a_journal_that_is_not_there_is_told(ledger: Ledger) -> None:
    entry = an_entry()
    async with ledger.connection.but(journal="NONE").system() as system:
        assert (await system.examine([entry]))[entry.reference].told_to_pleo().text == (
            "Journal NONE missing: provide journal NONE in the configurations"
        )
        await refused(system, entry, ItemFailureKind.JOURNAL_NOT_CONFIGURED)
        assert await system.next_open_day(DAY) is None
    async with ledger.connection.system() as system:
        await booked(system, entry)


async def test_a_company_that_is_not_current_is_never_taken_for_empty_books(
    ledger: Ledger, tryton: TrytonServer
) -> None:
    entry = an_entry()
    theirs = ledger.connection.but(application_key=tryton.books.keys["traveller"], company="Acme GmbH")
    user = tryton.books.users["traveller"]
    async with theirs.system() as system:
        await booked(system, entry)
        ledger.admin.write("res.user", [user], company=tryton.books.other_company)
        try:
            with pytest.raises(CheckFailed) as failed:
                await system.find([entry.reference])
            assert failed.value.failure.kind is FailureKind.BOOKS_COMPANY_NOT_CURRENT
            await refused(system, entry, ItemFailureKind.SYSTEM_DENIES_ACCESS)
        finally:
            ledger.admin.write("res.user", [user], company=ledger.company)
        assert set(await system.find([entry.reference])) == {entry.reference}


HOSTILE = [
    ('=HYPERLINK("http://x")', '=HYPERLINK("http://x")'),
    ("100% _like_ \\ 'quoted'; drop table account_move; --",) * 2,
    ("æøå 日本 🧾 \u202eevil\u202c", "æøå 日本 🧾 evil"),
    ("nul\0 and \r\n two\tlines \ud800", "nul and two lines"),
    ("pleo:5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10/final",) * 2,
    ("", ""),
    ("x" * 5000, "x" * 999 + "…"),
]


@pytest.mark.parametrize(("text", "expected"), HOSTILE)
async def test_hostile_texts_come_back_unchanged_or_cleaned(
    text: str, expected: str, ledger: Ledger, system: TrytonSystem
) -> None:
    lines = (EntryLine(OTHER_ACCOUNT, 5, text), EntryLine(ACCOUNT, -5))
    entry = an_entry(payee="", description=text, lines=lines)
    await booked(system, entry)
    (move,) = ledger.moves(entry.reference)
    assert move["description"] == f"pleo:{entry.reference} {expected}".strip()
    assert ledger.lines(move)[0]["description"] == expected
    assert set(await system.find([entry.reference])) == {entry.reference}


async def test_a_batch_that_is_too_large_or_names_an_entry_twice_is_a_defect(system: TrytonSystem) -> None:
    entry = an_entry()
    with pytest.raises(ValueError, match="at most 100"):
        await system.book(entries(BATCH_SIZE + 1))
    with pytest.raises(ValueError, match="another reference"):
        await system.book([entry, entry])
    assert await system.book([]) == []
    await booked(system, entry)


@pytest.mark.slow
@pytest.mark.parametrize("posting", list(Posting))
async def test_batches_are_quicker_than_one_by_one(system: TrytonSystem, posting: Posting) -> None:
    batches, singles = entries(200, posting=posting), entries(40, posting=posting)
    begun = time.perf_counter()
    for start in (0, 100):
        assert all(isinstance(each, Booked) for each in await system.book(batches[start : start + 100]))
    together = len(batches) / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for entry in singles:
        await booked(system, entry)
    alone = len(singles) / (time.perf_counter() - begun)
    assert together > alone, f"{together:.0f} entries a second in batches, {alone:.0f} one by one"
    print(f"{posting}: {together:.0f} entries a second in batches, {alone:.0f} one by one")  # noqa: T201
    assert len(await system.find(references(batches))) == 200
