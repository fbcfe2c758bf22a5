"""What an item's entry looks like: directions, accounts, tax, texts and dates."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.accounting.booking import Posting, Tag
from adapters.accounting.contract import BookingAccounts, Capabilities
from adapters.connection import ExportConnection
from flows.rules.counter_accounts import TREATMENTS
from flows.rules.mapping import MappingSettings
from tests.flows.rules.sides import EITHER_SIGN, SIDES, TRAVEL, WALLET
from tests.flows.rules.wire import ALL_SET, ID, account, booked, item, line, pair, postings, tax
from tests.support.pleo_contract import values_of


def test_the_table_written_by_hand_is_the_one_of_the_product() -> None:
    assert {(kind, sub_type) for kind, sub_type, _, _ in SIDES} == set(TREATMENTS)
    assert {key for key, treatment in TREATMENTS.items() if treatment.either_sign} == EITHER_SIGN


def test_all_types_and_sub_types_that_pleo_documents_are_in_the_table() -> None:
    assert {kind for kind, sub_type, _, _ in SIDES if sub_type is None} == values_of("ExportItemType")
    assert {sub_type for _, sub_type, _, _ in SIDES} == values_of("NullableExportItemSubType")


@pytest.mark.parametrize(("kind", "sub_type", "debited", "credited"), SIDES)
def test_type_and_sub_type_say_which_account_is_debited(
    kind: str, sub_type: str | None, debited: str, credited: str
) -> None:
    entry = booked(item(kind, subType=sub_type))
    assert sorted(postings(entry)) == sorted([(debited, 1250), (credited, -1250)])
    assert entry.lines[0].account == TRAVEL, "the counter account comes last"


@pytest.mark.parametrize(("kind", "sub_type"), sorted(EITHER_SIGN, key=str))
def test_where_the_sign_is_not_known_both_mean_the_same(kind: str, sub_type: str | None) -> None:
    """U30."""
    positive = item(kind, line(1000, tax=tax(200)), line(300), line(-50), subType=sub_type)
    negative = item(kind, line(-1000, tax=tax(-200)), line(-300), line(50), subType=sub_type)
    assert booked(positive) == booked(negative)


def test_a_contra_account_that_pleo_names_goes_before_the_configured_one() -> None:
    """L76."""
    named = item(contraAccount=account("Assets:Pleo:Card"))
    assert postings(booked(named)) == [(TRAVEL, 1250), ("Assets:Pleo:Card", -1250)]
    assert postings(booked(named, MappingSettings())) == [(TRAVEL, 1250), ("Assets:Pleo:Card", -1250)]
    without_code = item(contraAccount=account(None, identifier="1931"))
    assert postings(booked(without_code))[-1] == ("1931", -1250)
    nameless = item(contraAccount=account(None))
    assert postings(booked(nameless))[-1] == (WALLET, -1250)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"code": "5610", "identifier": "abc"}, "5610"),
        ({"code": None, "identifier": "abc"}, "abc"),
        ({"code": "  ", "identifier": " abc "}, "abc"),
        ({"code": " 56 10\u200b ", "identifier": None}, "56 10\u200b"),
    ],
)
def test_an_account_is_its_code_or_else_its_identifier_unchanged(
    given: dict[str, Any], expected: str
) -> None:
    assert booked(item("fee", line(account=account(**given)))).lines[0].account == expected


def test_every_line_of_a_split_is_booked_and_those_of_zero_are_left_out() -> None:
    split = item("card_purchase", line(1000), line(0), line(-50, account=account("Expenses:Meals")), line(7))
    assert postings(booked(split)) == [
        (TRAVEL, 1000),
        ("Expenses:Meals", -50),
        (TRAVEL, 7),
        (WALLET, -957),
    ]


class TestTax:
    def test_without_a_tax_account_the_gross_is_booked_and_the_code_told(self) -> None:
        entry = booked(item("card_purchase", line(1250, tax=tax(250))))
        assert postings(entry) == [(TRAVEL, 1250), (WALLET, -1250)]
        assert [each.tax_code for each in entry.lines] == ["V25", None]

    def test_with_a_tax_account_net_and_tax_are_booked_apart(self) -> None:
        given = tax(250, ingoingTaxAccount="Assets:Tax:In", outgoingTaxAccount="Liabilities:Tax:Out")
        tags = [{"id": ID, "code": "NORTH", "groupCode": "REGION"}]
        entry = booked(item("card_purchase", line(1250, tax=given, tags=tags)))
        assert postings(entry) == [(TRAVEL, 1000), ("Assets:Tax:In", 250), (WALLET, -1250)]
        assert [each.tax_code for each in entry.lines] == [None, "V25", None]
        assert [each.tags for each in entry.lines] == [(Tag("REGION", "NORTH"),), (), ()]

    def test_money_that_comes_back_takes_back_the_input_tax(self) -> None:
        given = tax(250, ingoingTaxAccount="Assets:Tax:In", outgoingTaxAccount="Liabilities:Tax:Out")
        assert postings(booked(item("refund", line(1250, tax=given)))) == [
            (TRAVEL, -1000),
            ("Assets:Tax:In", -250),
            (WALLET, 1250),
        ]

    def test_the_account_of_the_other_direction_is_not_taken(self) -> None:
        given = tax(250, outgoingTaxAccount="Liabilities:Tax:Out")
        assert postings(booked(item("card_purchase", line(1250, tax=given))))[0] == (TRAVEL, 1250)

    @pytest.mark.parametrize("rounding", [-1, 0, 1])
    def test_a_hundredth_of_rounding_is_let_pass_and_the_entry_balances(self, rounding: int) -> None:
        """U32: the net that is booked is gross less tax, whatever the net that was sent."""
        given = tax(250, ingoingTaxAccount="Assets:Tax:In")
        entry = booked(item("card_purchase", line(1250, tax=given, netAmount=pair(1000 + rounding))))
        assert postings(entry) == [(TRAVEL, 1000), ("Assets:Tax:In", 250), (WALLET, -1250)]

    def test_a_line_that_is_all_tax_has_no_expense(self) -> None:
        given = tax(1250, ingoingTaxAccount="Assets:Tax:In")
        assert postings(booked(item("card_purchase", line(1250, tax=given)))) == [
            ("Assets:Tax:In", 1250),
            (WALLET, -1250),
        ]

    def test_under_reverse_charge_the_tax_is_not_in_the_amount(self) -> None:
        given = tax(312, type="reverse", ingoingTaxAccount="Assets:Tax:In")
        entry = booked(item("card_purchase", line(1250, tax=given, netAmount=pair(1250))))
        assert postings(entry) == [(TRAVEL, 1250), (WALLET, -1250)]
        assert entry.lines[0].tax_code == "V25"


def test_a_decimal_that_is_whole_is_fine() -> None:
    """U29."""
    assert postings(booked(item("card_purchase", line(1250.0)))) == [(TRAVEL, 1250), (WALLET, -1250)]


@pytest.mark.parametrize("currency", ["JPY", "KWD", "UNDEFINED", "SEK"])
def test_the_books_are_in_the_currency_of_the_wallet_whatever_the_supplier_takes(currency: str) -> None:
    """U28 is about what is booked; an amount of unverified decimals is not even told."""
    both = pair(1250, 14338, ("EUR", currency))
    entry = booked(item("card_purchase", line(lineAmount=both), amount=both))
    assert entry.currency == "EUR"
    assert postings(entry) == [(TRAVEL, 1250), (WALLET, -1250)]
    assert entry.details.get("supplier-amount") == ("143.38 SEK" if currency == "SEK" else None)


@pytest.fixture(params=["UTC", "Pacific/Auckland"])
def local_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """The time zone of the machine that the integration runs on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-14T00:00:00Z", dt.date(2026, 3, 14)),
        ("2026-03-14T23:59:59.999Z", dt.date(2026, 3, 14)),
        ("2026-03-14T23:30:00-02:00", dt.date(2026, 3, 15)),
        ("2026-03-14T00:30:00+02:00", dt.date(2026, 3, 13)),
        ("2026-03-14T03:00:00", dt.date(2026, 3, 14)),
    ],
)
@pytest.mark.usefixtures("local_zone")
def test_the_posting_date_is_the_day_in_utc(moment: str, day: dt.date) -> None:
    """U34. L84: the service period has no say in it."""
    period = {"from": "2026-04-01T00:00:00Z", "to": "2026-06-30T00:00:00Z"}
    assert booked(item(date=moment, servicePeriod=period)).date == day


class TestWords:
    def test_merchant_user_and_note_describe_the_entry(self) -> None:
        entry = booked(item())
        assert entry.payee == "NORDRAIL AB"
        assert entry.description == "NORDRAIL AB, Ida Holm, Train to the client"

    def test_the_vendor_goes_before_the_supplier(self) -> None:
        """L72."""
        vendor = {"id": ID, "name": "Nordrail Aktiebolag", "defaultCurrency": "SEK", "code": "V-1"}
        entry = booked(item(vendor=vendor))
        assert entry.payee == "Nordrail Aktiebolag"
        assert entry.description.startswith("Nordrail Aktiebolag, Ida")
        assert entry.details["vendor-code"] == "V-1"

    def test_without_a_merchant_the_user_is_paid(self) -> None:
        assert booked(item("mileage", supplier=None)).payee == "Ida Holm"

    def test_without_any_words_the_type_describes_the_entry(self) -> None:
        entry = booked(item("wallet_topup", supplier={"name": None}, user=None, note="\x00\n"))
        assert (entry.payee, entry.description) == ("", "wallet topup")

    def test_texts_are_one_line_without_control_characters(self) -> None:
        entry = booked(item(note="two\nlines\x1b[31m\u202e", supplier={"name": "NORD\r\nRAIL\x00"}))
        assert entry.description == "NORD RAIL, Ida Holm, two lines [31m"
        assert entry.payee == "NORD RAIL"

    def test_details_carry_what_has_a_place_of_its_own(self) -> None:
        """L79."""
        more = {
            "reconciliationId": "20001",
            "attendees": ["Ida Holm", None, "Guest"],
            "reconciledEntries": ["19999", "20000"],
            "invoiceInformation": {"invoiceNumber": "F-77", "invoiceDate": "2026-03-01", "status": "paid"},
        }
        entry = booked(
            item(
                "direct_reimbursement",
                subType="reimbursement_to_employee",
                additionalInformation=more,
                team={"id": ID, "name": "Sales", "code": "S1"},
            )
        )
        assert entry.details == {
            "reconciliation-id": "20001",
            "reconciled-entries": "19999, 20000",
            "type": "direct_reimbursement",
            "sub-type": "reimbursement_to_employee",
            "user": "Ida Holm",
            "user-code": "114",
            "team": "Sales",
            "team-code": "S1",
            "attendees": "Ida Holm, Guest",
            "invoice-number": "F-77",
        }


class TestMethods:
    @pytest.mark.parametrize("bookkeeping", [None, {"method": "none"}, {"method": "journal"}])
    def test_journal_none_and_null_are_journal_entries(self, bookkeeping: dict[str, str] | None) -> None:
        """L69, L70."""
        assert postings(booked(item(bookkeeping=bookkeeping))) == [(TRAVEL, 1250), (WALLET, -1250)]

    @pytest.mark.parametrize("kind", ["wallet_topup", "wallet_unload"])
    @pytest.mark.parametrize("method", ["accounts_payable", "quantum"])
    def test_the_wallet_is_always_booked_by_journal(self, kind: str, method: str) -> None:
        """L71."""
        assert booked(item(kind, bookkeeping={"method": method})) == booked(item(kind))


def test_settings_are_taken_from_the_connection_and_the_capabilities() -> None:
    connection = ExportConnection.model_validate(
        {
            "company_id": ID,
            "pleo": {"base_url": "http://127.0.0.1:1", "api_key": "k"},
            "accounting": {"system": "faulty"},
            "accounts": {"wallet": "1931"},
            "posting": "final",
        }
    )
    can = Capabilities(
        journal_entries=True,
        accounts_payable=True,
        attachments=None,
        multi_currency=False,
        find_by_reference=True,
        batch_size=1,
    )
    settings = MappingSettings.of(connection, can)
    assert settings == MappingSettings(BookingAccounts(wallet="1931"), Posting.FINAL, accounts_payable=True)
    assert booked(item(), settings).posting is Posting.FINAL
    assert booked(item(), ALL_SET).posting is Posting.DRAFT
