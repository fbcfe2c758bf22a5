"""Texts from outside stay texts on the pages of Prefect: nothing runs, becomes a link, or breaks a column."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from flows.markdown import link, table, text
from tests.browser.prefect_pages import PrefectPages
from tests.browser.stand import Stand

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300, func_only=True)]

HOSTILE = (
    "a | b",
    "*loud* _quiet_ `code` ~~gone~~ # head",
    "<script>document.title = 'taken'</script><b>bold</b>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "[press](javascript:alert(1)) ![see](http://127.0.0.1:1/x.png)",
    "https://evil.example/ www.evil.example tom@evil.example",
    "&lt;entity&gt; \\ $x$",
)


def test_hostile_texts_are_shown_letter_by_letter(pages: PrefectPages, stand: Stand) -> None:
    rows = [
        {"what": text(each), "entry": link("open", f"{stand.fava.url}/?x={n}")}
        for n, each in enumerate(HOSTILE)
    ]
    artifact = {"key": "hostile", "type": "markdown", "data": table(rows)}
    made = httpx.post(f"{stand.api}/artifacts/", json=artifact)
    made.raise_for_status()
    pages.open()
    pages.page.goto(f"{pages.page.url.split('/dashboard')[0]}/artifacts/artifact/{made.json()['id']}")
    shown = pages.page.get_by_role("tabpanel").get_by_role("table")
    expect(shown.get_by_role("row")).to_have_count(len(HOSTILE) + 1)
    cells = [row.get_by_role("cell").first.inner_text() for row in shown.get_by_role("row").all()[1:]]
    assert cells == list(HOSTILE)
    expect(shown.get_by_role("link")).to_have_count(len(HOSTILE))  # our own, and no other
    expect(shown.locator("img, script, b, strong, em, del")).to_have_count(0)
    assert [each for each in shown.locator("code").all_inner_texts() if "." not in each] == [], (
        "addresses only"
    )
    assert pages.page.title() != "taken"
