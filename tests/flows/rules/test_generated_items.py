"""A thousand items of the embedded Pleo: which are booked, and that the books hold exactly their money."""

from __future__ import annotations

from collections import Counter
from typing import Any

from adapters.accounting.booking import Entry, Refused
from adapters.accounting.item_failures import ItemFailureKind
from adapters.pleo.sandbox.catalogue import ALWAYS_JOURNAL, USUAL_TYPES, WITH_CONTRA
from adapters.pleo.sandbox.defaults import COMPANY_ID, CONTRA_ACCOUNT, EXPENSE_ACCOUNTS
from adapters.pleo.sandbox.generator import ItemGenerator
from adapters.pleo.sandbox.recipe import Recipe
from flows.rules.mapping import MappingSettings, entries_of
from tests.flows.rules.sides import SIDES, TRAVEL
from tests.flows.rules.wire import ALL_SET, read

NUMBER = 1000


def generated(
    *, vendors: bool = False, types: dict[str, int] | None = None, contra: str | None = CONTRA_ACCOUNT
) -> list[dict[str, Any]]:
    recipe = Recipe(NUMBER, 7, EXPENSE_ACCOUNTS, contra, types=types or dict(USUAL_TYPES))
    generator = ItemGenerator(recipe, COMPANY_ID, with_vendors=vendors, until=1_770_000_000)
    return [generator.item(ordinal, None) for ordinal in range(1, NUMBER + 1)]


def mapped(sent: list[dict[str, Any]], settings: MappingSettings) -> tuple[list[Entry], list[Refused]]:
    results = list(entries_of(map(read, sent), settings))
    entries = [result for result in results if isinstance(result, Entry)]
    refusals = [result for result in results if isinstance(result, Refused)]
    assert len(entries) + len(refusals) == NUMBER
    return entries, refusals


def sums_of(entries: list[Entry]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for entry in entries:
        for each in entry.lines:
            sums[each.account] += each.amount
    return sums


def sums_expected(sent: list[dict[str, Any]]) -> Counter[str]:
    """The same from what Pleo sent, by the table written by hand and without the product's code."""
    sides = {kind: (debited, credited) for kind, sub_type, debited, credited in SIDES if sub_type is None}
    sums: Counter[str] = Counter()
    for each in sent:
        debited, credited = sides[each["type"]]
        factor, configured = (1, credited) if debited == TRAVEL else (-1, debited)
        counter = each["contraAccount"]["code"] if each["contraAccount"] else configured
        for part in each["accountingEntryLines"]:
            hundredths = part["lineAmount"]["inWalletCurrency"]["value"] * factor
            sums[part["account"]["code"]] += hundredths
            sums[counter] -= hundredths
    return sums


def test_with_default_settings_all_are_booked_but_those_for_which_pleo_names_no_account() -> None:
    sent = generated()
    entries, refusals = mapped(sent, MappingSettings())
    without = {each["accountingEntryId"] for each in sent if each["type"] not in WITH_CONTRA}
    assert {str(refusal.reference) for refusal in refusals} == without
    assert {refusal.failure.kind for refusal in refusals} == {ItemFailureKind.ACCOUNT_NOT_CONFIGURED}
    assert 0 < len(refusals) < NUMBER / 3
    assert sums_of(entries) == sums_expected(
        [each for each in sent if each["accountingEntryId"] not in without]
    )


def test_with_the_accounts_configured_all_are_booked() -> None:
    sent = generated()
    entries, refusals = mapped(sent, ALL_SET)
    assert not refusals
    assert sums_of(entries) == sums_expected(sent)
    assert sums_of(entries).total() == 0
    assert len({entry.reference for entry in entries}) == NUMBER


def test_every_type_is_booked_where_pleo_names_no_contra_account() -> None:
    types = {kind: 1 for kind, sub_type, _, _ in SIDES if sub_type is None}
    sent = generated(types=types, contra=None)
    entries, refusals = mapped(sent, ALL_SET)
    assert not refusals
    assert {each["type"] for each in sent} == set(types)
    assert sums_of(entries) == sums_expected(sent)


def test_with_vendors_the_payables_are_refused_and_the_others_booked() -> None:
    sent = generated(vendors=True)
    entries, refusals = mapped(sent, ALL_SET)
    payable = [
        each
        for each in sent
        if each["bookkeeping"]["method"] == "accounts_payable" and each["type"] not in ALWAYS_JOURNAL
    ]
    assert {str(refusal.reference) for refusal in refusals} == {each["accountingEntryId"] for each in payable}
    assert {refusal.failure.kind for refusal in refusals} == {ItemFailureKind.METHOD_UNSUPPORTED}
    assert sums_of(entries) == sums_expected([each for each in sent if each not in payable])


def test_an_item_without_account_fails_alone() -> None:
    """L64, L65, L68."""
    sent = generated()
    for each in sent[::100]:
        each["accountingEntryLines"][-1]["account"] = None
    entries, refusals = mapped(sent, ALL_SET)
    assert [str(refusal.reference) for refusal in refusals] == [e["accountingEntryId"] for e in sent[::100]]
    assert {refusal.failure.kind for refusal in refusals} == {ItemFailureKind.EXPENSE_ACCOUNT_MISSING}
    assert sums_of(entries) == sums_expected([e for n, e in enumerate(sent) if n % 100])
