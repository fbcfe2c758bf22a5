"""Choosing a job (L36, L37) and joining the two layers of its items (L53-L66)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pleo.export_items import (
    EXPORT_ITEM_PAGE,
    EXPORT_ITEM_PAGE_LENIENT,
    AdditionalInformation,
    ExportItem,
    Money,
    MoneyPair,
    UnreadableItem,
)
from adapters.pleo.items import join_layers
from adapters.pleo.jobs import oldest_eligible
from adapters.pleo.models import EXPORT_JOB, UNFINISHED_ITEM, ExportJob, ExportJobItem

MORNING = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
COMPANY, JOB = uuid4(), uuid4()


def job(status: str, minutes: int, number: int = 1) -> ExportJob:
    return ExportJob(
        id=UUID(int=number),
        company_id=COMPANY,
        status=status,
        created_at=MORNING + timedelta(minutes=minutes),
        expires_in=3600,
        number_of_items=1,
    )


def test_an_interrupted_job_goes_before_older_waiting_ones() -> None:
    assert oldest_eligible([job("pending", 0), job("in_progress", 5)]) == job("in_progress", 5)


def test_the_oldest_waiting_job_goes_first_then_the_lower_id() -> None:
    assert oldest_eligible([job("pending", 2), job("pending", 1, 3), job("pending", 1, 2)]) == job(
        "pending", 1, 2
    )


@pytest.mark.parametrize(
    "status", ["failed", "completed", "completed_with_errors", "a state from the future"]
)
def test_other_states_are_ignored(status: str) -> None:
    assert oldest_eligible([job(status, 0)]) is None
    assert oldest_eligible([job(status, 0), job("pending", 9)]) == job("pending", 9)


def test_the_deadline_counts_from_the_last_update_or_the_creation() -> None:
    wire = (
        '{"data":{"id":"%s","companyId":"%s","createdAt":"2026-03-02T08:15:00.123456789Z","expiresIn":3600,'
        '"numberOfItems":1,"status":"pending","isInteractive":true,"vendorBasedBookkeeping":false,'
        '"lastUpdatedAt":%s,"somethingNew":{"a":1}}}'
    )
    untouched = EXPORT_JOB.validate_json(wire % (JOB, COMPANY, "null")).data
    assert untouched.deadline == datetime(2026, 3, 2, 9, 15, 0, 123456, tzinfo=UTC)
    touched = EXPORT_JOB.validate_json(wire % (JOB, COMPANY, '"2026-03-02T08:45:00Z"')).data
    assert touched.deadline == datetime(2026, 3, 2, 9, 45, tzinfo=UTC)


def control(entry: UUID, status: str = "pending") -> ExportJobItem:
    return ExportJobItem(accounting_entry_id=entry, export_job_id=JOB, status=status)


def payload(entry: UUID, day: int = 1) -> ExportItem:
    money = MoneyPair(Money("EUR", 1), Money("EUR", 1))
    return ExportItem(
        accounting_entry_id=entry,
        company_id=COMPANY,
        type="card_purchase",
        date=datetime(2026, 2, day, tzinfo=UTC),
        amount=money,
        accounting_entry_lines=[],
        additional_information=AdditionalInformation(reconciliation_id="1"),
    )


ENTRIES = [UUID(int=number) for number in range(8)]
STATES = ["pending", "in_progress", "failed", "successful", "abandoned", "a new state"]


@given(
    states=st.dictionaries(st.sampled_from(ENTRIES), st.sampled_from(STATES)),
    data=st.lists(st.tuples(st.sampled_from(ENTRIES), st.booleans(), st.integers(1, 28))),
)
def test_no_item_is_lost_and_none_is_invented(
    states: dict[UUID, str], data: list[tuple[UUID, bool, int]]
) -> None:
    layers = (
        [control(entry, status) for entry, status in states.items()],
        [payload(entry, day) if readable else UnreadableItem(entry) for entry, readable, day in data],
    )
    fetched = join_layers(*layers)
    to_book = [item.accounting_entry_id for item in fetched.to_book]
    selected = {entry for entry, status in states.items() if status in UNFINISHED_ITEM}
    assert sorted([*to_book, *fetched.without_payload, *fetched.unreadable]) == sorted(selected)
    assert sum(fetched.finished.values()) == len(states) - len(selected)
    assert set(fetched.not_in_job) == {entry for entry, _, _ in data} - set(states)
    order = [(item.date, str(item.accounting_entry_id)) for item in fetched.to_book]
    assert order == sorted(order), "the order is the same on every retry (L56)"


def item_page(items: str) -> str:
    return '{"data":[%s],"pagination":{"hasNextPage":false}}' % items


GOOD_ITEM = (
    '{"accountingEntryId":"%s","companyId":"%s","type":"a new type","date":"2026-02-27T00:00:00Z",'
    '"amount":{"inSupplierCurrency":{"currency":"EUR","value":%s},'
    '"inWalletCurrency":{"currency":"EUR",'
    '"value":1}},'
    '"accountingEntryLines":[],"additionalInformation":{"reconciliationId":"1"},"files":null,"_links":{}}'
)


@pytest.mark.parametrize(
    ("sent", "read"), [("1234", 1234), ("-5", -5), ("12.5", Decimal("12.5")), ("0.1", Decimal("0.1"))]
)
def test_money_is_exact(sent: str, read: int | Decimal) -> None:
    page = EXPORT_ITEM_PAGE.validate_json(item_page(GOOD_ITEM % (ENTRIES[0], COMPANY, sent)))
    assert page.data[0].amount.in_supplier_currency.value == read
    assert not isinstance(page.data[0].amount.in_supplier_currency.value, float)


def test_one_item_of_another_form_does_not_hold_up_the_others() -> None:
    odd = '{"accountingEntryId":"%s","amount":"much"}' % ENTRIES[1]
    page = EXPORT_ITEM_PAGE_LENIENT.validate_json(item_page(GOOD_ITEM % (ENTRIES[0], COMPANY, 1) + "," + odd))
    assert isinstance(page.data[0], ExportItem)
    assert page.data[1] == UnreadableItem(ENTRIES[1])
