"""What is refused rather than guessed; each time, the item that is put right is booked."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.accounting.booking import Entry, Refused
from adapters.accounting.contract import BookingAccounts
from adapters.accounting.item_failures import ItemFailureKind
from flows.rules.amounts import WITHOUT_TWO_DECIMALS
from flows.rules.mapping import MappingSettings, entries_of
from tests.flows.rules.wire import (
    ACCOUNTS,
    ALL_SET,
    ID,
    account,
    booked,
    item,
    item_json,
    line,
    pair,
    postings,
    read,
    refused,
    tax,
)

PAYABLE: dict[str, Any] = {"bookkeeping": {"method": "accounts_payable"}}
VENDOR = {"id": ID, "name": "Cloudheap Ltd", "defaultCurrency": "EUR"}
WITH_PAYABLES = MappingSettings(ACCOUNTS, accounts_payable=True)


def test_payables_are_refused_by_a_system_without_them() -> None:
    """L69."""
    payable = item(**PAYABLE, vendor={**VENDOR, "code": "V-1"})
    assert refused(payable) == (
        ItemFailureKind.METHOD_UNSUPPORTED,
        "The integration does not book by method accounts_payable. Book this expense by hand.",
    )
    entry = booked(payable, WITH_PAYABLES)
    assert (entry.details["vendor"], entry.details["vendor-code"]) == ("Cloudheap Ltd", "V-1")


@pytest.mark.parametrize("vendor", [None, VENDOR, {**VENDOR, "code": " "}])
def test_payables_need_a_vendor_that_the_system_can_find(vendor: dict[str, str] | None) -> None:
    """L72, L73, C19."""
    kind, _text = refused(item(**PAYABLE, vendor=vendor), WITH_PAYABLES)
    assert kind is ItemFailureKind.VENDOR_UNKNOWN
    for name in ("code", "externalId", "taxRegistrationNumber"):
        entry = booked(item(**PAYABLE, vendor={**VENDOR, name: "V-1"}), WITH_PAYABLES)
        assert entry.details["vendor-code"] == "V-1"


@pytest.mark.parametrize("method", ["quantum", "JOURNAL", ""])
def test_an_unknown_method_is_refused(method: str) -> None:
    """U37."""
    kind, _text = refused(item(bookkeeping={"method": method}), WITH_PAYABLES)
    assert kind is ItemFailureKind.METHOD_UNSUPPORTED
    booked(item(bookkeeping={"method": "journal"}))


@pytest.mark.parametrize(
    ("kind", "sub_type", "named"),
    [
        ("overdraft", None, "overdraft"),
        ("CARD_PURCHASE", None, "CARD_PURCHASE"),
        ("fee", "discount", "fee/discount"),
        ("refund", "interest", "refund/interest"),
    ],
)
def test_an_unknown_type_or_sub_type_is_refused(kind: str, sub_type: str | None, named: str) -> None:
    """U37, C22: also a known subType with a type that it is not known to belong to."""
    assert refused(item(kind, subType=sub_type)) == (
        ItemFailureKind.UNKNOWN_TYPE,
        f"The integration does not know expenses of type {named}. Update it, or book this expense by hand.",
    )
    booked(item("fee", subType="interest"))
    booked(item("fee", subType=""))


@pytest.mark.parametrize(
    ("kind", "role", "named"),
    [
        ("card_purchase", "wallet", "wallet (PLEO_EXPORT_ACCOUNTS__WALLET)"),
        ("mileage", "out_of_pocket", "out of pocket (PLEO_EXPORT_ACCOUNTS__OUT_OF_POCKET)"),
        ("external_reimbursement", "contra", "contra (PLEO_EXPORT_ACCOUNTS__CONTRA)"),
        ("invoice", "fallback_payables", "fallback payables (PLEO_EXPORT_ACCOUNTS__FALLBACK_PAYABLES)"),
    ],
)
def test_an_account_that_is_not_configured_is_named_by_its_setting(kind: str, role: str, named: str) -> None:
    """E2, L77."""
    for missing in (None, " "):
        others = MappingSettings(ACCOUNTS.model_copy(update={role: missing}))
        assert refused(item(kind), others) == (
            ItemFailureKind.ACCOUNT_NOT_CONFIGURED,
            f"Account {named} missing: provide account {named} in the configurations",
        )
    alone = MappingSettings(BookingAccounts.model_validate({role: "1931"}))
    assert postings(booked(item(kind), alone))[-1] == ("1931", -1250)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([line(account=None)], "of the expense's category"),
        ([line(account=account(None))], "Travel"),
        ([line(account=account(" ", name="Meals", identifier=""))], "Meals"),
        ([line(account=account(None, name="\x00"))], "of the expense's category"),
        ([line(), line(account=None), line(account=None)], "of line 2's category"),
        ([line(), line(0, account=None)], "of line 2's category"),
    ],
)
def test_every_line_needs_an_expense_account(lines: list[dict[str, Any]], named: str) -> None:
    """E3, L64, L65."""
    assert refused(item("card_purchase", *lines)) == (
        ItemFailureKind.EXPENSE_ACCOUNT_MISSING,
        f"Account {named} missing: provide account {named} in the configurations",
    )
    booked(item("card_purchase", *({**each, "account": account()} for each in lines)))


@pytest.mark.parametrize("kind", ["card_purchase", "out_of_pocket", "fee", "wallet_topup", "invoice"])
def test_a_negative_amount_contradicts_a_type_that_is_positive(kind: str) -> None:
    """U30."""
    assert refused(item(kind, line(-1250))) == (
        ItemFailureKind.SIGN_CONTRADICTS_TYPE,
        f"The sign of the amount does not fit an expense of type {kind}. Book this expense by hand.",
    )
    booked(item(kind, line(1250)))


@pytest.mark.parametrize("value", [1250.5, 0.01, 1e-300])
@pytest.mark.parametrize("place", ["amount", "line", "net", "tax"])
def test_a_fraction_of_a_hundredth_is_refused(value: float, place: str) -> None:
    """U29."""
    right = item_json("card_purchase", line(1250, tax=tax(250)))
    wrong = item_json("card_purchase", line(1250, tax=tax(250)))
    (given,) = wrong["accountingEntryLines"]
    if place in {"amount", "line"}:
        wrong["amount"] = given["lineAmount"] = pair(value)
    elif place == "net":
        given["netAmount"] = pair(value)
    else:
        given["tax"]["amount"] = pair(value)
    assert refused(read(wrong))[0] is ItemFailureKind.FRACTION_OF_A_HUNDREDTH
    booked(read(right))


def test_fractions_in_the_currency_of_the_supplier_are_no_matter_if_they_add_up() -> None:
    thirds = [line(1, lineAmount=pair(1, value, ("EUR", "KWD"))) for value in (0.1, 0.2)]
    booked(item("card_purchase", *thirds, amount=pair(2, 0.3, ("EUR", "KWD"))))


@pytest.mark.parametrize("difference", [-1, 1, 100])
@pytest.mark.parametrize("currency", ["wallet", "supplier"])
def test_lines_that_do_not_add_up_are_refused(difference: int, currency: str) -> None:
    """U31: exactly, and in both currencies."""
    amount = pair(1250 + difference, 1250) if currency == "wallet" else pair(1250, 1250 + difference)
    assert refused(item("card_purchase", line(1000), line(250), amount=amount)) == (
        ItemFailureKind.NOT_BALANCED,
        "The lines of the expense do not add up to its amount. Correct the split in Pleo and export again.",
    )
    booked(item("card_purchase", line(1000), line(250), amount=pair(1250)))


@pytest.mark.parametrize("currencies", [("USD", "EUR"), ("EUR", "USD")])
def test_a_line_in_another_currency_does_not_add_up(currencies: tuple[str, str]) -> None:
    other = line(250, lineAmount=pair(250, 250, currencies))
    kind, _text = refused(item("card_purchase", line(1000), other))
    assert kind is ItemFailureKind.NOT_BALANCED
    booked(item("card_purchase", line(1000), line(250)))


def test_an_item_without_lines_does_not_add_up() -> None:
    kind, _text = refused(read({**item_json(), "accountingEntryLines": []}))
    assert kind is ItemFailureKind.NOT_BALANCED


@pytest.mark.parametrize("lines", [[line(0)], [line(0), line(0)], [line(5), line(-5)]])
def test_an_item_of_zero_is_refused(lines: list[dict[str, Any]]) -> None:
    """Lines that cancel out as well: without a total nothing tells which way they go."""
    for kind in ("card_purchase", "refund"):
        assert refused(item(kind, *lines)) == (
            ItemFailureKind.NO_AMOUNT,
            "The expense has an amount of 0: there is nothing to book. Correct it in Pleo, or leave it out.",
        )
        booked(item(kind, *lines, line(1)))


@pytest.mark.parametrize(
    "wrong",
    [
        line(1250, tax=tax(250), netAmount=pair(998)),
        line(1250, tax=tax(250), netAmount=pair(1002)),
        line(1250, netAmount=pair(1000)),
        line(1250, tax=tax(-250)),
        line(1250, tax=tax(1251)),
        line(0, tax=tax(5)),
        line(1250, tax={**tax(250), "amount": pair(250, 250, ("USD", "EUR"))}),
        line(1250, netAmount=pair(1250, 1250, ("USD", "EUR"))),
        line(1250, tax=tax(250, type="reverse"), netAmount=pair(1248)),
    ],
)
def test_net_and_tax_that_are_not_the_gross_are_refused(wrong: dict[str, Any]) -> None:
    """U32."""
    assert refused(item("card_purchase", wrong, line(1))) == (
        ItemFailureKind.TAX_DOES_NOT_ADD_UP,
        "Net amount and tax do not add up to the amount of a line. Correct the tax in Pleo and export again.",
    )
    booked(item("card_purchase", line(1250, tax=tax(250)), line(1)))


def test_a_fault_in_a_negative_line_is_seen_too() -> None:
    for wrong in (tax(50), tax(-251)):
        kind, _text = refused(item("card_purchase", line(1250), line(-250, tax=wrong)))
        assert kind is ItemFailureKind.TAX_DOES_NOT_ADD_UP
    booked(item("card_purchase", line(1250), line(-250, tax=tax(-50))))


def in_currency(currency: str) -> dict[str, Any]:
    money = pair(1250, 1250, (currency, "EUR"))
    return item_json("card_purchase", line(lineAmount=money, netAmount=money), amount=money)


@pytest.mark.parametrize("currency", ["JPY", "ISK", "KWD", "CLF", "XAU", "UNDEFINED", "eur", "", "EUR\n"])
def test_a_currency_that_may_not_have_two_decimals_is_refused(currency: str) -> None:
    """U28."""
    kind, text = refused(read(in_currency(currency)))
    assert kind is ItemFailureKind.CURRENCY_UNVERIFIED
    assert text.endswith("are not booked yet: their decimals are not verified. Book this expense by hand.")
    for usual in ("EUR", "SEK", "DKK", "GBP"):
        assert booked(read(in_currency(usual))).currency == usual


def test_the_list_of_currencies_is_that_of_the_standard() -> None:
    """ISO 4217, counted: 17 without decimals, 7 with three, 2 with four, 13 that are no money."""
    assert len(WITHOUT_TWO_DECIMALS) == 17 + 7 + 2 + 13
    assert all(len(code) == 3 and code.isupper() for code in WITHOUT_TWO_DECIMALS)
    assert not WITHOUT_TWO_DECIMALS & {"EUR", "USD", "GBP", "DKK", "SEK", "NOK", "PLN", "CHF", "HUF"}


def test_an_unforeseen_fault_fails_its_item_and_no_other() -> None:
    """L68: a day beyond the calendar."""
    items = [item(), item(date="9999-12-31T23:30:00-05:00"), item("refund")]
    results = list(entries_of(items, ALL_SET))
    assert [type(result) for result in results] == [Entry, Refused, Entry]
    assert isinstance(results[1], Refused)
    assert results[1].failure.kind is ItemFailureKind.UNEXPECTED
    assert results[1].reference == items[1].accounting_entry_id
