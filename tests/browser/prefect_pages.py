"""What an operator does on Prefect's pages: the clicks, and what is then on the page."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotSeen

expect.set_options(timeout=30_000)
RUN_SECONDS = 90
"""Time for a run to be fetched by the worker, to work and to end."""

_SUBMISSIONS = 5


class PrefectPages:
    """A browser's page on a Prefect server; images are kept if a folder for them is given."""

    def __init__(self, page: Page, origin: str, images: Path | None) -> None:
        self.page, self.origin, self._images = page, origin, images

    def open(self) -> None:
        """Open the pages as Prefect shows them by default, unless they are open."""
        if not self.page.url.startswith(self.origin):
            self.page.goto(f"{self.origin}/")
            self.page.wait_for_url("**/dashboard**")

    def deployment(self, name: str) -> None:
        """Open a deployment's page from the list of them."""
        self.open()
        self.page.get_by_role("link", name="Deployments", exact=True).first.click()
        self.page.reload()  # notices of earlier runs, with their links, are gone
        row = self.page.locator('a[href*="/deployments/deployment/"]').filter(has_text=name)
        row.first.click()
        expect(self.page.get_by_role("tab", name="Description")).to_be_visible()

    def tab(self, name: str) -> None:
        """Choose a tab of the present page."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def custom_run(self) -> None:
        """Open the run form of the present deployment."""
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Custom run").click()
        expect(self.page.get_by_role("heading", name="Parameters")).to_be_visible()

    def field(self, number: int) -> Locator:
        """Give the text field of a parameter, counted from 1; the form's first field is the run's name."""
        return self.page.get_by_role("textbox").nth(number)

    def list_of_choices(self, shown: str) -> None:
        """Open the list whose present choice is shown so."""
        self.page.locator("main button").filter(has_text=re.compile(f"^{shown}$")).click()

    def choose(self, shown: str, wanted: str) -> None:
        """Choose from the list whose present choice is shown so."""
        self.list_of_choices(shown)
        self.page.get_by_role("option", name=wanted, exact=True).click()

    def submit(self) -> None:
        """Submit the form and open the new run's page.

        A server on SQLite answers 503 when it is busy, and the page asks to try again: so does this.
        """
        for _ in range(_SUBMISSIONS):
            self.page.get_by_role("button", name="Submit").click()
            try:
                self._view_run()
            except NotSeen:
                if "/run?" not in self.page.url:
                    raise
            else:
                return
        raise AssertionError("the run form was not accepted")

    def quick_run(self) -> None:
        """Start a run of the present deployment without parameters, and open its page."""
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Quick run").click()
        self._view_run()

    def retry(self) -> None:
        """Retry the present run."""
        self.page.get_by_role("button", name="Open menu").click()
        self.page.get_by_role("menuitem", name="Retry").click()
        self.page.get_by_role("alertdialog").or_(self.page.get_by_role("dialog")).get_by_role(
            "button", name="Retry"
        ).click()

    def expect_ending(self, state_name: str, title: str) -> None:
        """Wait until the present run has ended so, and is named so."""
        main = self.page.locator("main")
        expect(main.get_by_text(state_name, exact=True).first).to_be_visible(timeout=RUN_SECONDS * 1000)
        self.page.reload()  # its title is read once, and a run is renamed when its job is found
        expect(main.get_by_text(title).first).to_be_visible()

    def open_artifact(self, key: str) -> Locator:
        """Open an artifact of the present run from its Artifacts tab, and give the part that shows it."""
        self.tab("Artifacts")
        named = self.page.get_by_text(key, exact=True)  # another one's description may hold the word
        self.page.locator('a[href*="/artifacts/artifact/"]').filter(has=named).first.click()
        shown = self.page.get_by_role("tabpanel")
        expect(shown.get_by_role("table").first).to_be_visible()
        return shown

    def back(self) -> None:
        """Go back to the run's page."""
        self.page.go_back()
        expect(self.page.get_by_role("tab", name="Artifacts", exact=True)).to_be_visible()

    def image(self, name: str, *, whole: bool = False) -> None:
        """Keep what is on the screen, or the whole page, as an image of the documentation."""
        if self._images is None:
            return
        self.page.mouse.wheel(0, -10_000)
        self.page.wait_for_timeout(2500)  # drawings glide to their place
        self.page.screenshot(path=self._images / f"{name}.png", full_page=whole)

    def _view_run(self) -> None:
        self.page.get_by_role("button", name="View run").or_(
            self.page.get_by_role("link", name="View run")
        ).first.click(timeout=15_000)
        self.page.wait_for_url("**/runs/flow-run/**")
        # Only then is the page before it gone, with the endings of earlier runs.
        expect(self.page.get_by_role("tab", name="Job Variables")).to_be_visible()
