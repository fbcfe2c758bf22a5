"""What others wrote is shown as text: in artifacts (Markdown), at a terminal, in logs, and to Pleo's user."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from adapters.accounting.booking import Booked, Entry, EntryLine, Refused
from adapters.accounting.failures import CATALOGUE, Failure, FailureReporting
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.texts import plain
from flows import presentation
from flows.item_rows import item_rows
from flows.lines import Line
from flows.markdown import CELL_LIMIT, link
from flows.markdown import text as as_markdown
from flows.pages import all_items
from flows.report import RunReport
from flows.rules.lifecycle import Lifecycle, Stage
from flows.rules.outcome import update_of
from flows.terminal import print_rows, print_run
from tests.flows.rules.wire import item, pair
from tests.support.hostile import fit_to_be_read

ATTACKS = (
    "[red]loud[/red]",
    "[x](javascript:alert(1))",
    "![x](http://tracker.example/p.png)",
    "<script>alert(1)</script>",
    "a | b\n| --- | --- |\n| c | d |",
    "`code` *bold* _slanted_ ~~gone~~ # title",
    "http://evil.example www.evil.example me@evil.example <http://evil.example>",
    "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\u202egnp.exe \u200f\u2066rtl",
    "line\r\nline\u2028line\u0085line",
    "# title\n\n- item\n\n    code\n> said\n***\n[ref]: http://evil.example",
    "\\`\\[x\\](y)\\",
    "&lt;b&gt; &#60; &copy;",
    "x" * 1_000_000,
    "\x00\x07\x08\x0b",
)

texts = st.one_of(
    st.sampled_from(ATTACKS[:-2]), st.text("[](){}<>!#*_`|\\&:/@.-+~wx1 \n", max_size=60), st.text()
)
attacks = pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))

# What Prefect's UI does: GitHub's Markdown, in which an address is a link without any markup.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_AUTOLINK = re.compile(r"(?i)https?://[^\s<]|www\.[^\s<]|[-.+\w]+@[-\w]+\.[-\w]")


def shown(markdown: str) -> str:
    """Give what a browser shows as text; it must be text alone, in one paragraph."""
    tokens = MARKDOWN.parse(markdown)
    kinds = {token.type for token in tokens} | {
        child.type for token in tokens for child in token.children or []
    }
    allowed = {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline"}
    assert kinds <= allowed, (markdown, kinds)
    rendered = MARKDOWN.render(markdown)
    assert not _AUTOLINK.search(re.sub(r"<code>.*?</code>", "", rendered)), (
        "an address is shown as code alone"
    )
    return html.unescape(re.sub(r"</?(p|code)>", "", rendered)).strip()


@given(text=texts)
def test_a_cell_in_markdown_shows_the_text(text: str) -> None:
    cell = f"cell {as_markdown(text)}"
    words = " ".join(plain(text, CELL_LIMIT).split())
    assert " ".join(shown(cell).split()) == f"cell {words}".strip()


def test_a_link_of_ours_stays_one_and_only_in_its_column() -> None:
    address = "http://127.0.0.1:5000/books/journal/?filter=%5Epleo-1"
    line = a_line("")
    line.result = Booked(line.reference, address, address)
    (row,) = all_items([line])
    assert row["result"] == link("booked", address)
    assert "](" not in row["entry or reason"]
    assert row["entry or reason"] in ("", f"`{address}`")


def a_line(text: str) -> Line:
    """An item of which everything is hostile that can be."""
    given = item(amount=pair(1250, currencies=(text, text)))
    reference = uuid4()
    lines = (EntryLine(text, 100, text), EntryLine(f"{text}2", -100, text))
    entry = Entry(reference, dt.date(2026, 1, 1), text, text, text, lines)
    line = Line(reference, given, entry, Booked(reference, text, None))
    line.warnings.append(ItemFailure(ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": text}))
    return line


@attacks
def test_the_items_table(text: str) -> None:
    for row in item_rows([a_line(text)]):
        for cell in row.values():
            assert cell.isprintable()
            assert len(cell) <= 2048
            shown(f"cell {as_markdown(cell)}")


@attacks
def test_a_terminal_is_not_steered(text: str) -> None:
    report = RunReport(
        lifecycle=Lifecycle(note=text), lines=[a_line(text)], state_name="Failed", message=text
    )
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    print_run(report, console)
    print_rows(text, [{"a": text, "b": "passed"}], console)
    said = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())  # colours, which are ours
    assert said.replace("\n", "").isprintable()
    assert len(said) < 300_000
    if text.startswith("[red]"):
        assert "[red]loud[/red]" in said.replace("\n", "")


@attacks
def test_a_stage_is_noted_on_one_short_line(text: str) -> None:
    notes: list[str] = []
    lifecycle = Lifecycle(lambda move: notes.append(move.note), text)
    lifecycle.move_to(Stage.STARTED, text)
    assert len(notes) == 2
    assert all(note.isprintable() and len(note) <= 500 for note in notes)


@attacks
def test_what_pleo_is_told(text: str) -> None:
    for kind in ItemFailureKind:
        failure = ItemFailure(kind, {"name": text, "answer": text, "limit": text})
        told = update_of(uuid4(), Refused(uuid4(), failure))
        fit_to_be_read(told.failure_reason or "")
        assert len(told.failure_reason or "") <= 255
    for failure in CATALOGUE:
        for reporting in FailureReporting:
            names = ("system", "user", "missing", "credential", "company", "detail", "version", "setting")
            reason = Failure(failure, dict.fromkeys(names, text)).told_to_pleo(reporting)
            fit_to_be_read(reason.text)
            assert len(reason.text) <= 255
    booked = update_of(uuid4(), Booked(uuid4(), text, f"http://books.example/{text}"))
    assert (booked.external_id or "x").isprintable()
    assert len(booked.external_id or "") <= 255
    assert len(booked.external_url or "") <= 2048
    assert (booked.external_url or "x").isprintable()


@attacks
def test_the_message_of_a_state(text: str) -> None:
    from tests.hostile.jobs import a_job

    job = a_job(status=text, reason=text, kind=text)
    report = RunReport(items={"fetched": 1, text: 2, **{f"{text}{n}": 1 for n in range(30)}})
    for state in (
        presentation.already_failed(job, "Fava", None, wanted_again=False),
        presentation.ended_elsewhere(job),
        presentation.items_fetched(report),
    ):
        fit_to_be_read(state.message or "")
        assert len(state.message or "") < 1200
