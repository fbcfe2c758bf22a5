"""What the run form sends: what was left or made empty is not sent, and what is no id is refused by name."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.prefect_pages import PrefectPages
from tests.browser.stand import CONNECTION, Stand

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300, func_only=True)]


def test_every_choice_is_explained_and_enumerations_are_lists(pages: PrefectPages, stand: Stand) -> None:
    pages.deployment("export-job")
    pages.custom_run()
    form = pages.page.locator("main")
    for text in ("Name of the saved connection.", "Id of the export job in Pleo.", "What Pleo is told"):
        expect(form).to_contain_text(text)
    pages.tab("choose")
    for shown, choices in (("Select", ("documented", "specific")), ("report", ("report", "export_again"))):
        pages.list_of_choices(shown)
        for choice in choices:
            expect(pages.page.get_by_role("option", name=choice, exact=True)).to_be_visible()
        pages.page.keyboard.press("Escape")


def test_fields_left_or_made_empty_mean_none(pages: PrefectPages, stand: Stand) -> None:
    pages.deployment("export-job")
    pages.custom_run()
    for tab in ("by name", "by id", "choose"):
        pages.tab(tab)
    for number in (1, 2):
        pages.field(number).fill("begun")
        pages.field(number).fill("")
    pages.submit()
    pages.expect_ending("NothingToExport", f"{stand.pleo.company_id} oldest job")
    sent = stand.runs()[0]["parameters"]
    assert not (sent.get("connection") or sent.get("job_id") or sent.get("failure_reporting")), sent


def test_what_is_no_id_is_refused_by_its_name_and_the_next_run_works(
    pages: PrefectPages, stand: Stand
) -> None:
    pages.deployment("export-job")
    pages.custom_run()
    pages.tab("by id")
    pages.field(1).fill("the one of yesterday")
    pages.submit()
    expect(pages.page.locator("main").get_by_text("Failed", exact=True).first).to_be_visible(timeout=60_000)
    pages.tab("Details")
    expect(pages.page.get_by_text("job_id: Input should be a valid UUID")).to_be_visible()

    pages.deployment("check-connection")
    pages.custom_run()
    pages.tab("by name")
    pages.field(1).fill(CONNECTION)
    stand.fava.restart()
    pages.submit()
    pages.expect_ending("Ready", f"{CONNECTION} check")
