"""A server that asks for a password lets a browser in with it, and shows nothing without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from flows.commands.local_services import prefect_server

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


def test_signing_in(page: Page, tmp_path: Path) -> None:
    with prefect_server(tmp_path, {"PREFECT_SERVER_API_AUTH_STRING": "operator:opens-only-this"}) as api:
        page.goto(f"{api.removesuffix('/api')}/")
        password = page.locator("input").first
        expect(password).to_be_visible()
        expect(page.get_by_role("link", name="Deployments", exact=True)).to_have_count(0)
        for typed in ("operator:wrong", "operator:opens-only-this"):
            password.fill(typed)
            password.press("Enter")
            if typed.endswith("wrong"):
                page.wait_for_timeout(1000)
                expect(page.get_by_role("link", name="Deployments", exact=True)).to_have_count(0)
        page.get_by_role("link", name="Deployments", exact=True).click()
        expect(page.get_by_text("Create a deployment").or_(page.get_by_text("0 Deployments"))).to_be_visible()
