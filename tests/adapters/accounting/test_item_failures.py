"""Why one item is not booked: documented texts to the letter, and every text fit to be read (E1-E14)."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.accounting.failures import PLEO_TEXT_LIMIT
from adapters.accounting.item_failures import ITEM_CATALOGUE, ItemFailure, ItemFailureKind
from tests.support.hostile import fit_to_be_read, hostile
from tests.support.pleo_contract import values_of

# Typed off Pleo's pages once more: kind, type, and the text for X.
_MISSING = "missing_configuration"
DOCUMENTED = [
    ("journal_not_configured", _MISSING, "Journal X missing: provide journal X in the configurations"),
    ("account_not_configured", _MISSING, "Account X missing: provide account X in the configurations"),
    ("expense_account_missing", _MISSING, "Account X missing: provide account X in the configurations"),
    ("tax_code_unknown", "invalid_configuration", "Tax Code X does not exist in the Accounting System"),
    (
        "account_unknown",
        "invalid_configuration",
        "Account No. X does not exist in the Accounting System. Check Category.",
    ),
    (
        "tag_unknown",
        "invalid_configuration",
        "Tag with code X does not exist on the Accounting System. Check the Tag.",
    ),
    (
        "vendor_unknown",
        "vendor_unknown",
        "Selected vendor cannot be processed because it does not exist or is currently blocked. "
        "Please verify the vendor\u2019s status in the accounting system and try again.",
    ),
    ("period_closed", "accounting_system_validation_failure", "Closed accounting period"),
    ("refused_by_system", "accounting_system_validation_failure", "Period 2026-03 is closed for AP."),
]

# The types of E8 to E14, by hand; the texts are this integration's own.
OWN = {
    "receipt_too_large": "receipt_file_size_limit_exceeded",
    "receipt_not_downloaded": "receipt_download_failure",
    "receipt_not_uploaded": "receipt_upload_failure",
    "receipt_format_refused": "receipt_conversion_failure",
    "unknown_type": "validation_failure",
    "method_unsupported": "validation_failure",
    "not_balanced": "validation_failure",
    "no_amount": "validation_failure",
    "fraction_of_a_hundredth": "validation_failure",
    "sign_contradicts_type": "validation_failure",
    "currency_unverified": "validation_failure",
    "tax_does_not_add_up": "validation_failure",
    "system_unreachable": "accounting_system_unreachable",
    "system_timed_out": "accounting_system_timeout",
    "system_throttled": "accounting_system_rate_limit",
    "system_refuses_credentials": "accounting_system_authentication_failure",
    "system_denies_access": "authorization_failure",
    "payload_missing": "unexpected_failure",
    "payload_unreadable": "unexpected_failure",
    "unexpected": "unexpected_failure",
}

FACTS = ("name", "limit", "answer")
kinds = st.sampled_from(ItemFailureKind)


def test_each_kind_has_a_row_and_a_line_here() -> None:
    assert set(ITEM_CATALOGUE) == set(ItemFailureKind)
    assert {str(kind) for kind in ItemFailureKind} == {row[0] for row in DOCUMENTED} | set(OWN)


@pytest.mark.parametrize(("kind", "documented_type", "text"), DOCUMENTED)
def test_documented_texts_are_sent_to_the_letter(kind: str, documented_type: str, text: str) -> None:
    """E1-E7, E10, E11."""
    facts = {"name": "X", "answer": "Period 2026-03 is closed for AP."}
    assert tuple(ItemFailure(ItemFailureKind(kind), facts).told_to_pleo()) == (documented_type, text)


@pytest.mark.parametrize(("kind", "documented_type"), OWN.items())
def test_own_texts_are_sentences_that_say_what_to_do(kind: str, documented_type: str) -> None:
    """L90; E8, E9, E12-E14."""
    told = ItemFailure(ItemFailureKind(kind), {"name": "X"}).told_to_pleo()
    assert told.type == documented_type
    assert told.text[0].isupper() and told.text.endswith(".")
    assert any(verb in told.text for verb in ("Correct", "Book", "book", "Export", "export", "Attach"))


@pytest.mark.parametrize("kind", ItemFailureKind)
def test_types_are_values_that_pleo_knows_for_items(kind: ItemFailureKind) -> None:
    assert ITEM_CATALOGUE[kind].type in values_of("ExportJobItemFailureReasonType")


@pytest.mark.parametrize("kind", ItemFailureKind)
def test_texts_without_facts_are_fit_to_be_read(kind: ItemFailureKind) -> None:
    for facts in ({}, {"name": "", "answer": "\x00\n", "limit": " "}):
        text = ItemFailure(kind, facts).told_to_pleo().text
        assert text
        assert not any(odd in text for odd in ("{", "}", "  ", " .", "()"))


@settings(derandomize=True, database=None)
@given(kinds, st.dictionaries(st.sampled_from(FACTS) | st.text(max_size=5), hostile))
@example(ItemFailureKind.ACCOUNT_NOT_CONFIGURED, {"name": "x" * 1000})
@example(ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": "x" * 1000})
@example(ItemFailureKind.RECEIPT_TOO_LARGE, {"limit": "x" * 1000})
def test_texts_are_short_plain_and_keep_the_sentence_around_the_facts(
    kind: ItemFailureKind, facts: dict[str, str]
) -> None:
    """U24, U25."""
    text = ItemFailure(kind, facts).told_to_pleo().text
    fit_to_be_read(text)
    assert len(text) <= PLEO_TEXT_LIMIT
    for literal, _, _, _ in string.Formatter().parse(ITEM_CATALOGUE[kind].text):
        assert literal.strip() in text


@given(kinds)
def test_facts_cannot_be_templates(kind: ItemFailureKind) -> None:
    template = ITEM_CATALOGUE[kind].text
    text = ItemFailure(kind, dict.fromkeys(FACTS, "{0.__class__}")).told_to_pleo().text
    assert text.count("{0.__class__}") == sum(template.count(f"{{{name}}}") for name in FACTS)


def test_an_answer_of_the_system_is_told_as_far_as_there_is_room() -> None:
    """L90, E11."""
    told = ItemFailure(ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": "y" * 255}).told_to_pleo()
    assert told.text == "y" * 255
