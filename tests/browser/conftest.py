"""A real browser, Debian's chromium without a window, and what it looks at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.prefect_pages import PrefectPages
from tests.browser.stand import Stand, standing
from tests.flows.exports import BOOKS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZE = {"width": 1280, "height": 900}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Playwright has an event loop in this thread until it ends: no other test could have one."""
    if CHROMIUM is None:
        why = "no chromium on this machine: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    arguments = [
        "--no-sandbox",  # as root chromium does not start otherwise
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no page of a test asks the internet
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZE, color_scheme="light", timezone_id="UTC", locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="package")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("stand"), BOOKS) as everything:
        yield everything


@pytest.fixture
def pages(page: Page, stand: Stand) -> PrefectPages:
    return PrefectPages(page, stand.origin, _images_folder())


def _images_folder() -> Path | None:
    """`make images` names the folder of the documentation's images; without it none is made."""
    folder = os.environ.get("IMAGES")
    return Path(folder) if folder else None
