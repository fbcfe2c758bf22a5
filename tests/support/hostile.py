"""Texts from outside that try to break out of a line, a template or a length."""

from __future__ import annotations

from hypothesis import strategies as st

hostile = st.one_of(
    st.text(),
    st.text("\x00\x07\x1b\n\r\t\u2028\u202e\ufeff{}x ", max_size=40),
    st.sampled_from(["{x}", "{", "}", "{0.__class__}", "%s", "\udcff", "a\nb", "\u202egnp.exe"]),
    st.text("wörd ", min_size=200, max_size=600),
)


def fit_to_be_read(text: str) -> None:
    """A text is there, on one line, printable, and can be sent."""
    assert text
    assert text == text.strip()
    assert text.isprintable()
    text.encode()
