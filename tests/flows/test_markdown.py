"""Markdown for Prefect's pages: texts from outside stay texts, links lead to the web and nowhere else."""

from __future__ import annotations

import pytest

from flows.markdown import CELL_LIMIT, link, table, text, together


@pytest.mark.parametrize(
    ("outside", "markdown"),
    [
        ("Taxi, 12.50 EUR (airport)", "Taxi, 12.50 EUR (airport)"),
        ("a | b", r"a \| b"),
        ("*loud* _quiet_ ~gone~ `code`", r"\*loud\* \_quiet\_ \~gone\~ \`code\`"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[press](javascript:alert(1))", r"\[press\](javascript:alert(1))"),
        ("&lt; is an entity", r"\&lt; is an entity"),
        (r"back\slash", r"back\\slash"),
        ("two\nlines\r\nand\ttabs", "two lines and tabs"),
        ("\x1b[31mred\u202eder", r"\[31mred der"),
        (
            "see https://evil.example and www.evil.example",
            "see `https://evil.example` and `www.evil.example`",
        ),
        ("ask tom@example.org", "ask `tom@example.org`"),
        ("`http://x.example/a|b`", r"\``http://x.example/a\|b`\`"),
    ],
)
def test_a_text_is_shown_letter_by_letter(outside: str, markdown: str) -> None:
    assert text(outside) == markdown


def test_an_endless_text_is_cut() -> None:
    assert len(text("x" * 1_000_000)) == CELL_LIMIT


def test_a_short_text_is_not_broken() -> None:
    assert together("2026-10-17") == "2026\u201110\u201117"
    assert together("0.02 s") == "0.02\u00a0s"


@pytest.mark.parametrize(
    ("url", "markdown"),
    [
        ("http://127.0.0.1:5000/books/", "[open](http://127.0.0.1:5000/books/)"),
        ("https://x.example/a b)(", "[open](https://x.example/a%20b%29%28)"),
        ("https://x.example/é", "[open](https://x.example/%C3%A9)"),
        ("javascript:alert(1)", "open"),
        ("https:///nowhere", "open"),
        ("", "open"),
    ],
)
def test_links_lead_to_the_web_only(url: str, markdown: str) -> None:
    assert link("open", url) == markdown


def test_a_table_leaves_out_what_is_empty_in_every_row() -> None:
    rows = [{"a": "1", "b": "", "c": "x"}, {"a": "2", "b": "", "c": ""}]
    assert table(rows) == "| a | c |\n| --- | --- |\n| 1 | x |\n| 2 |  |"
    assert table([]) == table([{"a": ""}]) == ""
