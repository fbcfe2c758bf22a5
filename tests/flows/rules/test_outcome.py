"""What Pleo is told at the end: the updates of items, and how the job ends (L87-L102)."""

from __future__ import annotations

import datetime as dt
from itertools import product
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.accounting.booking import Booked, Refused
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.pleo.items import FetchedItems
from adapters.pleo.models import ExportJobItem, ItemStatus, ItemUpdate, JobEvent
from flows.rules.outcome import (
    REASONS_OF_ITEMS_AND_JOBS,
    TerminalEvent,
    batches,
    not_readable,
    terminal_event,
    update_of,
)
from tests.support.pleo_contract import values_of

REF = UUID("1b0f3a52-30c4-4d3e-8f0a-6b0f6ad2c901")
JOB = UUID("00000000-0000-4000-8000-000000000001")
COMPLETED = TerminalEvent(JobEvent.COMPLETED)
WITH_ERRORS = TerminalEvent(JobEvent.COMPLETED_WITH_ERRORS)
OWN_REASONS = "No expense was exported. Each one shows its own reason."


def held(status: str, reason: str | None = None, text: str | None = None) -> ExportJobItem:
    return ExportJobItem(uuid4(), JOB, status, failure_reason_type=reason, failure_reason=text)


class TestUpdates:
    def test_a_booked_item_is_successful_with_id_link_and_moment(self) -> None:
        """L89, C21."""
        at = dt.datetime(2026, 3, 14, 10, 30, tzinfo=dt.UTC)
        assert update_of(REF, Booked(REF, "2026/17", "https://books.example/17", at)).to_wire() == {
            "accountingEntryId": str(REF),
            "status": "successful",
            "externalId": "2026/17",
            "externalUrl": "https://books.example/17",
            "exportedAt": "2026-03-14T10:30:00+00:00",
        }

    def test_what_is_not_known_of_a_booked_item_is_left_out(self) -> None:
        """U26."""
        update = update_of(REF, Booked(REF, ""))
        assert update.to_wire() == {"accountingEntryId": str(REF), "status": "successful"}

    def test_ids_and_links_keep_to_their_lengths(self) -> None:
        """U24: a cut link leads nowhere, so it is left out."""
        for length, kept in ((255, 255), (256, 255)):
            assert len(update_of(REF, Booked(REF, "x" * length)).external_id or "") == kept
        assert update_of(REF, Booked(REF, "17", "x" * 2048)).external_url == "x" * 2048
        assert update_of(REF, Booked(REF, "17", "x" * 2049)).external_url is None

    def test_a_refused_item_is_failed_with_its_reason(self) -> None:
        """L90, U27."""
        refusal = Refused(REF, ItemFailure(ItemFailureKind.ACCOUNT_UNKNOWN, {"name": "5610"}))
        assert update_of(REF, refusal).to_wire() == {
            "accountingEntryId": str(REF),
            "status": "failed",
            "failureReasonType": "invalid_configuration",
            "failureReason": "Account No. 5610 does not exist in the Accounting System. Check Category.",
        }

    def test_items_whose_data_pleo_did_not_give_are_failed(self) -> None:
        """L66, L68; entries that are not in the job are not reported."""
        missing, unreadable, stranger = uuid4(), uuid4(), uuid4()
        fetched = FetchedItems((), {}, (missing,), (unreadable,), (stranger,))
        refusals = list(not_readable(fetched))
        assert [(each.reference, each.failure.kind) for each in refusals] == [
            (missing, ItemFailureKind.PAYLOAD_MISSING),
            (unreadable, ItemFailureKind.PAYLOAD_UNREADABLE),
        ]
        updates = [update_of(each.reference, each) for each in refusals]
        assert {update.failure_reason_type for update in updates} == {"unexpected_failure"}

    @given(st.integers(0, 350))
    @settings(derandomize=True, database=None)
    def test_reports_hold_a_hundred_updates_at_most_and_none_is_lost(self, number: int) -> None:
        """L87, C1."""
        updates = [ItemUpdate(UUID(int=each), ItemStatus.SUCCESSFUL) for each in range(number)]
        reports = list(batches(updates))
        assert [update for report in reports for update in report] == updates
        assert all(0 < len(report) <= 100 for report in reports)
        assert len(reports) == (number + 99) // 100

    def test_reports_can_be_smaller(self) -> None:
        updates = [ItemUpdate(UUID(int=each), ItemStatus.SUCCESSFUL) for each in range(5)]
        assert [len(report) for report in batches(updates, 2)] == [2, 2, 1]


class TestEnd:
    @pytest.mark.parametrize(
        ("states", "end"),
        [
            ([], COMPLETED),
            (["successful"], COMPLETED),
            (["successful", "successful"], COMPLETED),
            (["successful", "failed"], WITH_ERRORS),
            (["failed", "failed", "successful"], WITH_ERRORS),
            (["successful", "abandoned"], WITH_ERRORS),
            (["successful", "archived"], WITH_ERRORS),
            (["failed"], TerminalEvent(JobEvent.FAILED, "validation_failure", OWN_REASONS)),
            (["abandoned"], TerminalEvent(JobEvent.FAILED, "validation_failure", OWN_REASONS)),
            (["pending"], None),
            (["successful", "in_progress"], None),
            (["failed", "failed", "pending"], None),
        ],
    )
    def test_the_states_of_all_items_say_how_the_job_ends(
        self, states: list[str], end: TerminalEvent | None
    ) -> None:
        """L96, L97, L101, L102, U10."""
        assert terminal_event([held(state) for state in states]) == end

    def test_of_any_three_items_one_unfinished_keeps_the_job_open(self) -> None:
        for states in product(ItemStatus, repeat=3):
            end = terminal_event([held(state) for state in states])
            assert (end is None) == bool({"pending", "in_progress"} & set(states))
            if end:
                assert (end.event is JobEvent.COMPLETED) == (set(states) == {"successful"})
                assert (end.event is JobEvent.FAILED) == ("successful" not in states)
                # L98, C2: the reason goes with `failed`, and always with it (U27).
                assert (end.event is JobEvent.FAILED) == bool(end.failure_type and end.failure_text)
                assert (end.failure_type is None) == (end.failure_text is None)

    def test_one_common_reason_is_told_as_the_reason_of_the_job(self) -> None:
        """C2a."""
        text = "Account wallet missing: provide account wallet in the configurations"
        items = [held("failed", "missing_configuration", text) for _ in range(3)]
        assert terminal_event(items) == TerminalEvent(
            JobEvent.FAILED, "missing_configuration", f"No expense was exported: {text}"
        )

    def test_one_common_reason_of_different_texts_leads_to_the_texts(self) -> None:
        items = [held("failed", "missing_configuration", text) for text in ("a", "b")]
        assert terminal_event(items) == TerminalEvent(JobEvent.FAILED, "missing_configuration", OWN_REASONS)

    def test_different_reasons_are_a_failed_validation(self) -> None:
        items = [held("failed", kind, "x") for kind in ("missing_configuration", "authorization_failure")]
        end = terminal_event(items)
        assert end is not None and end.failure_type == "validation_failure"

    @pytest.mark.parametrize(
        "reason", ["accounting_system_validation_failure", "unexpected_failure", "brand_new", None]
    )
    def test_a_common_reason_that_no_job_can_have_is_a_failed_validation(self, reason: str | None) -> None:
        """C2a."""
        end = terminal_event([held("failed", reason, "Closed accounting period")] * 2)
        assert end == TerminalEvent(
            JobEvent.FAILED, "validation_failure", "No expense was exported: Closed accounting period"
        )

    def test_every_reason_that_both_may_have_is_passed_on(self) -> None:
        items = values_of("ExportJobItemFailureReasonType")
        jobs = values_of("ExportJobFailureReasonType")
        assert items & jobs == REASONS_OF_ITEMS_AND_JOBS
        for reason in items:
            end = terminal_event([held("failed", reason, "x")])
            assert end is not None
            assert end.failure_type == (reason if reason in jobs else "validation_failure")

    @pytest.mark.parametrize("length", [1, 229, 230, 231, 232, 255])
    def test_a_common_text_is_told_whole(self, length: int) -> None:
        """U24."""
        end = terminal_event([held("failed", "validation_failure", "x" * length)])
        assert end is not None and end.failure_text is not None
        assert end.failure_text.endswith("x" * length)
        assert len(end.failure_text) <= 255

    def test_a_text_of_another_integration_is_made_fit_to_be_sent(self) -> None:
        end = terminal_event([held("failed", None, "two\nlines\x00" + "x" * 5000)])
        assert end is not None and end.failure_text is not None
        assert end.failure_text.isprintable() and len(end.failure_text) <= 255
