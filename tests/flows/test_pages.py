"""The pages of a run say what failed first, and a job of many items does not make a page without end."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

from adapters.accounting.booking import Booked, Entry, EntryLine, Refused
from adapters.accounting.contract import Check, CheckOutcome, Verdict
from adapters.accounting.failures import Failure, FailureKind
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from flows.lines import Line
from flows.pages import (
    ITEMS_ON_A_PAGE,
    check_page,
    check_summary,
    items_page,
    items_summary,
    timeline_page,
)
from flows.report import RunReport

NOT_HAD = ItemFailure(ItemFailureKind.RECEIPT_NOT_DOWNLOADED)
UNREADABLE = ItemFailure(ItemFailureKind.PAYLOAD_UNREADABLE)


def line(reference: UUID | None = None, **fields: object) -> Line:
    reference = reference or uuid4()
    posted = (EntryLine("Expenses:Travel", 1000), EntryLine("Assets:Pleo", -1000))
    entry = Entry(reference, dt.date(2026, 3, 2), "EUR", "Shop", "Taxi | *cheap*", posted)
    booked = Booked(reference, f"pleo-{reference}", f"http://127.0.0.1:5000/books/?filter={reference}")
    return replace(Line(reference, entry=entry, result=booked), **fields)  # type: ignore[arg-type]


def test_what_failed_or_is_odd_comes_first_and_links_lead_to_entries() -> None:
    calm, odd = line(), line(warnings=[NOT_HAD])
    refused = line()
    refused.refuse(UNREADABLE)
    page = items_page([calm, odd, refused])
    first, second = page.split("## In the books")
    assert first.index("| failed |") < first.index("| [booked](")
    assert str(refused.reference)[:8] in first
    assert "receipt" in first
    assert r"Taxi \| \*cheap\*" in second
    assert f"?filter={calm.reference})" in second
    assert items_summary([calm, odd, refused]) == "2 booked, 1 failed."


def test_a_job_of_one_kind_has_no_empty_part() -> None:
    assert "Look at these" not in items_page([line()])
    refused = Line(uuid4(), result=Refused(uuid4(), UNREADABLE))
    assert "In the books" not in items_page([refused])


def test_a_page_ends() -> None:
    many = [line() for _ in range(ITEMS_ON_A_PAGE + 7)]
    many[-1].refuse(UNREADABLE)
    page = items_page(many)
    assert page.count("\n| ") < ITEMS_ON_A_PAGE + 8
    assert "| failed |" in page, "what failed is on it, wherever it stood in the job"
    assert "7 more item(s) are in the artifact `all-items`" in page


def test_the_check_report_has_cause_person_and_remedy_in_one_row() -> None:
    failure = Failure(FailureKind.READ_ONLY, {"system": "Fava"})
    checks = [
        CheckOutcome(Check.REACHABILITY, Verdict.PASSED, 0.01),
        CheckOutcome(Check.AUTH, Verdict.FAILED, 0.02, failure),
    ]
    row = next(each for each in check_page(checks).splitlines() if each.startswith("| auth"))
    for part in ("failed", "0.02\u00a0s", failure.cause, failure.row.who, failure.remedy):
        assert part in row
    assert check_summary(checks) == f"Not ready. {failure.cause}"
    assert check_summary(checks[:1]) == "Ready to take entries."
    assert check_summary([]) == "The checks were not reached."


def test_the_timeline_begins_with_the_ending() -> None:
    report = RunReport(state_name="NothingToExport", message="Pleo has no *job*.")
    assert timeline_page(report) == r"**NothingToExport.** Pleo has no \*job\*."
