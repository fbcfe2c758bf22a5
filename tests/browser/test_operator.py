"""An operator's afternoon in a real browser: start a run, read why it failed, mend it, try again, export."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.prefect_pages import PrefectPages
from tests.browser.stand import CONNECTION, Stand
from tests.flows.exports import entries, events, links, make_job, statuses

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600, func_only=True)]


def test_from_a_failed_run_to_a_full_export(pages: PrefectPages, stand: Stand) -> None:
    job_id = make_job(stand.pleo, 5, without_account=[2])
    stand.fava.restart("--read-only")
    _sees_what_the_deployment_does(pages)
    _starts_a_run_from_the_form(pages, job_id)
    pages.expect_ending("ValidationFailed", f"{CONNECTION} {job_id}")
    _reads_why(pages)
    assert links(stand.fava) == [], "nothing was booked"

    stand.fava.restart()
    pages.retry()
    pages.expect_ending("AlreadyFailed", f"{CONNECTION} {job_id}")
    pages.tab("Details")
    expect(pages.page.get_by_text("Checked just now, Fava is ready to take entries.").first).to_be_visible()
    assert events(stand.pleo, job_id) == ["started", "failed"], "the retry sent nothing"

    pages.deployment("export-job")
    _starts_a_run_from_the_form(pages, job_id, on_failed_job="export_again")
    pages.expect_ending("Exported", CONNECTION)
    (again,) = (str(job["id"]) for job in stand.pleo.jobs() if str(job["id"]) != job_id)
    assert links(stand.fava) == entries(stand.pleo, again) == entries(stand.pleo, job_id)

    clicked = make_job(stand.pleo, 5, without_account=[2])
    pages.deployment("export-job")
    pages.quick_run()
    pages.expect_ending("ExportedWithErrors", f"{stand.pleo.company_id} {clicked}")
    _reads_what_was_booked(pages, stand, clicked)
    pages.page.get_by_role("link", name="Runs", exact=True).first.click()
    for ending in ("AlreadyFailed", "ExportedWithErrors", "Exported"):
        expect(pages.page.get_by_text(ending, exact=True).first).to_be_visible()
    pages.image("runs", whole=True)


def _sees_what_the_deployment_does(pages: PrefectPages) -> None:
    pages.deployment("export-job")
    pages.tab("Description")
    described = pages.page.get_by_role("tabpanel")
    expect(described.get_by_role("table")).to_contain_text("ValidationFailed")
    expect(described).not_to_contain_text("**")


def _starts_a_run_from_the_form(pages: PrefectPages, job_id: str, on_failed_job: str | None = None) -> None:
    pages.custom_run()
    pages.tab("by name")
    pages.field(1).fill(CONNECTION)
    pages.tab("by id")
    pages.field(2).fill(f" {job_id}\n")  # as it is pasted
    if on_failed_job:
        pages.choose("report", on_failed_job)
    else:
        pages.image("run-form")
    pages.submit()


def _reads_why(pages: PrefectPages) -> None:
    report = pages.open_artifact("check-report")
    writability = report.get_by_role("row").filter(has_text="writability")
    for cell in ("failed", "Fava is in read-only mode", "administrator of the accounting system"):
        expect(writability).to_contain_text(cell)
    expect(writability).to_contain_text("End the read-only mode of Fava, then export again.")
    expect(report.get_by_role("table")).not_to_contain_text("|")
    pages.image("check-report")
    pages.back()

    timeline = pages.open_artifact("timeline")
    expect(timeline).to_contain_text("ValidationFailed.")
    stages = [row.inner_text().split()[0] for row in timeline.get_by_role("row").all()[1:]]
    assert stages == [
        "DETECTED",
        "STARTED",
        "REACHABLE",
        "AUTHENTICATED",
        "VALIDATION_FAILED",
        "FAILURE_REPORTED",
    ]
    pages.image("timeline")
    pages.back()

    pages.tab("Details")
    told = pages.page.get_by_text("End the read-only mode of Fava, then export again.").first
    told.scroll_into_view_if_needed()
    expect(told).to_be_visible()
    pages.image("run-failed", whole=True)


def _reads_what_was_booked(pages: PrefectPages, stand: Stand, job_id: str) -> None:
    booked = statuses(stand.pleo, job_id)["successful"]
    assert booked == 4
    items = pages.open_artifact("items")
    expect(items).to_contain_text("provide account")
    pages.image("items")
    to_entries = items.get_by_role("link", name="booked")
    expect(to_entries).to_have_count(booked)
    with pages.page.context.expect_page() as opened:
        to_entries.first.click(modifiers=["Control"])
    expect(opened.value.get_by_text(re.compile("^Books of Example")).first).to_be_visible()
    expect(opened.value.locator(".journal li.transaction")).to_have_count(1)
    opened.value.close()
    pages.back()
