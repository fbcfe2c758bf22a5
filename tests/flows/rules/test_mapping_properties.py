"""Whatever an item holds: it is booked exactly or refused, and nothing about it is unbounded."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.accounting.booking import Entry, Refused
from adapters.accounting.contract import BookingAccounts
from adapters.accounting.failures import PLEO_TEXT_LIMIT
from adapters.pleo.export_items import ExportItem
from flows.rules.counter_accounts import TREATMENTS, Direction
from flows.rules.mapping import MappingSettings, entries_of, entry_of
from flows.rules.wording import DESCRIPTION_LIMIT, DETAIL_LIMIT, PAYEE_LIMIT
from tests.flows.rules.wire import ALL_SET, ID, account, item_json, line, pair, read, tax

REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=300)

# No lone surrogates: JSON that is UTF-8 cannot hold them.
texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.text('\x00\x1b\n\r\t\u2028\u202e\ufeff{}%" x', max_size=40),
    st.text("wörd ", min_size=200, max_size=600),
)
whole = st.integers(50, 10**9)
money = st.integers(-(10**6), 10**6) | st.sampled_from([0, 1, -1, 10**15])
maybe_taxed = st.one_of(
    st.none(),
    st.builds(
        tax,
        st.integers(0, 50),
        type=st.sampled_from(["inclusive", "exclusive", "reverse", "?"]),
        code=st.none() | texts,
        ingoingTaxAccount=st.sampled_from([None, "", "Tax:In"]),
        outgoingTaxAccount=st.sampled_from([None, "Tax:Out"]),
    ),
)


@st.composite
def lines(draw: st.DrawFn, amounts: st.SearchStrategy[int]) -> dict[str, Any]:
    gross, given = draw(amounts), draw(maybe_taxed)
    code = draw(st.sampled_from(["Expenses:Travel", "Expenses:Meals", "5610"]))
    return line(gross, tax=given, account=account(code, name=draw(texts)))


@st.composite
def sound_items(draw: st.DrawFn) -> ExportItem:
    """Items that nothing speaks against, of every type."""
    kind, sub_type = draw(st.sampled_from(sorted(TREATMENTS, key=str)))
    parts = draw(st.lists(lines(whole), min_size=1, max_size=6))
    return read(item_json(kind, *parts, subType=sub_type, note=draw(texts)))


@st.composite
def any_items(draw: st.DrawFn) -> ExportItem:
    """Items that may be sound, or odd in any place."""
    kind, sub_type = draw(st.sampled_from([*sorted(TREATMENTS, key=str), ("overdraft", None), ("fee", "?")]))
    parts = draw(st.lists(lines(draw(st.sampled_from([whole, money]))), min_size=1, max_size=4))
    sent = item_json(kind, *parts, subType=sub_type)
    for part in parts:
        if draw(st.integers(0, 9)) == 0:
            part["account"] = draw(st.sampled_from([None, account(None), account(None, identifier="x")]))
        if draw(st.integers(0, 9)) == 0:
            part["netAmount"] = pair(draw(money))
    if draw(st.integers(0, 9)) == 0:
        sent["amount"] = pair(draw(money | st.just(12.5)), draw(money), (draw(currencies), draw(currencies)))
    if draw(st.integers(0, 4)) == 0:
        sent["bookkeeping"] = {"method": draw(methods)}
    sent["contraAccount"] = draw(st.none() | st.just(account("Pleo:Wallet")))
    sent["note"], sent["supplier"]["name"], sent["user"]["name"] = draw(texts), draw(texts), draw(texts)
    sent["vendor"] = draw(
        st.none() | st.fixed_dictionaries({"id": st.just(ID), "name": texts, "defaultCurrency": texts})
    )
    sent["additionalInformation"] = {"reconciliationId": draw(texts), "attendees": [draw(texts), None]}
    return read(sent)


currencies = st.sampled_from(["EUR", "SEK", "JPY", "UNDEFINED", ""])
methods = st.sampled_from(["none", "journal", "accounts_payable", "?"])
roles = st.fixed_dictionaries(
    {role: st.sampled_from([f"Counter:{role}", f"{role}", None]) for role in BookingAccounts.model_fields}
)
some_settings = st.builds(
    MappingSettings, st.builds(BookingAccounts.model_validate, roles), accounts_payable=st.booleans()
)


def fit_to_be_kept(text: str, limit: int) -> None:
    assert len(text) <= limit
    assert text.isprintable()
    assert text == text.strip()


def words_are_fit_to_be_kept(entry: Entry) -> None:
    fit_to_be_kept(entry.payee, PAYEE_LIMIT)
    fit_to_be_kept(entry.description, DESCRIPTION_LIMIT)
    assert entry.description
    for name, value in entry.details.items():
        assert name.replace("-", "").islower()
        assert value
        fit_to_be_kept(value, DETAIL_LIMIT)
    for each in entry.lines:
        fit_to_be_kept(each.description, 120)


def is_exact(entry: Entry, given: ExportItem) -> None:
    """To the hundredth: the counter account takes the amount, the other lines take those of the item."""
    *others, counter = entry.lines
    total = int(given.amount.in_wallet_currency.value)
    assert sum(each.amount for each in entry.lines) == 0
    assert abs(counter.amount) == abs(total) == abs(sum(each.amount for each in others))
    assert (counter.amount < 0) == (TREATMENTS[given.type, given.sub_type].direction is Direction.OUT)
    factor = -counter.amount // total
    remaining = list(others)
    for part in given.accounting_entry_lines:
        gross = int(part.line_amount.in_wallet_currency.value) * factor
        taken = 0
        while taken != gross:
            taken += remaining.pop(0).amount
    assert not remaining


@REPEATABLE
@given(sound_items())
def test_every_sound_item_is_booked_to_the_hundredth(given: ExportItem) -> None:
    entry = entry_of(given, ALL_SET)
    assert isinstance(entry, Entry)
    is_exact(entry, given)
    words_are_fit_to_be_kept(entry)


@REPEATABLE
@given(any_items(), some_settings)
def test_any_item_is_booked_to_the_hundredth_or_refused_in_a_bounded_text(
    given: ExportItem, configured: MappingSettings
) -> None:
    result = entry_of(given, configured)
    assert result.reference == given.accounting_entry_id
    if isinstance(result, Entry):
        is_exact(result, given)
        words_are_fit_to_be_kept(result)
    else:
        text = result.failure.told_to_pleo().text
        fit_to_be_kept(text, PLEO_TEXT_LIMIT)
        assert text


@settings(REPEATABLE, max_examples=50)
@given(st.lists(any_items() | sound_items(), max_size=8), some_settings)
def test_nothing_is_lost(given: list[ExportItem], configured: MappingSettings) -> None:
    results = list(entries_of(given, configured))
    assert [result.reference for result in results] == [each.accounting_entry_id for each in given]
    assert all(isinstance(result, Entry | Refused) for result in results)
    assert results == [entry_of(each, configured) for each in given], "each for itself, the same every time"
