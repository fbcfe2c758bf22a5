"""Texts from outside become one safe line, and what must be cut is cut where it hurts least (U24, U25)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.texts import cut_keeping_end, plain


@given(st.text(st.characters()), st.integers(1, 300))
def test_a_plain_text_is_one_short_printable_line(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert line.isprintable()
    assert line == line.strip()
    assert "  " not in line
    assert plain(line, limit) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is", "as it is"),
        ("  two\nlines\r\n\tand  blanks ", "two lines and blanks"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("right\u202eleft\u200b\ufeff", "right left"),
        ("line\u2028separator", "line separator"),
        ("bücher ✓", "bücher ✓"),
        ("\udcff", ""),
        ("", ""),
    ],
)
def test_what_becomes_of_a_text(text: str, line: str) -> None:
    assert plain(text) == line


def test_a_long_text_shows_that_it_goes_on() -> None:
    assert plain("one two three", 8) == "one two…"
    assert plain("one two three", 9) == "one two…"
    assert plain("one two", 7) == "one two"


@given(st.text("ab "), st.text("xy ", min_size=1), st.integers(1, 100))
def test_two_sentences_fit_and_the_second_is_kept(start: str, end: str, limit: int) -> None:
    joined = cut_keeping_end(start, end, limit)
    assert len(joined) <= limit
    assert joined.endswith(end[:limit])
    if len(start) + 1 + len(end) <= limit and limit - len(end) > 2:
        assert joined == f"{start} {end}"


def test_the_first_sentence_is_cut() -> None:
    assert cut_keeping_end("What happened was bad.", "Do this.", 21) == "What happen… Do this."
    assert cut_keeping_end("What happened was bad.", "Do this.", 31) == "What happened was bad. Do this."
    assert cut_keeping_end("What happened was bad.", "Do this.", 8) == "Do this."
