"""Every rule that the code and the documents cite is listed in docs/rules.md, and each number once."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "rules.md"
CODE = ("adapters", "flows", "tests", "benchmarks")

SERIES = {
    "L": [f"L{number}" for number in range(1, 117)],
    "U": [f"U{number}" for number in range(1, 53)],
    "C": ["C1", "C2", "C2a", *(f"C{number}" for number in range(3, 24))],
    "V": [f"V{number}" for number in range(1, 13)],
    "E": [f"E{number}" for number in range(1, 15)],
}
MARKS = ("documented", "inferred", "our recommendation")

# A number has no leading zero: V06 is a tax code. What stands in backticks is a value, not a citation.
_CITATION = re.compile(
    r"(?<![\w-])(?P<letter>[LUCVE])(?P<first>[1-9]\d{0,2})(?P<suffix>[a-z]?)\b"
    r"(?:\s?[-–]\s?(?P=letter)?(?P<last>[1-9]\d{0,2})\b)?"  # noqa: RUF001 - a range may have a dash
)
_CODE_BLOCK = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CODE_SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LINT_CODES = re.compile(r"#\s*noqa:[\s\w,]*")
_INSIGNIFICANT = {tokenize.NL, tokenize.COMMENT, tokenize.ENCODING}
_BEFORE_A_STATEMENT = {None, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def citations(text: str) -> Iterator[str]:
    """Rules that a text cites, ranges in full."""
    for found in _CITATION.finditer(_CODE_SPAN.sub(" ", text)):
        letter, first, last = found["letter"], int(found["first"]), found["last"]
        if last is None:
            yield f"{letter}{first}{found['suffix']}"
        else:
            assert first < int(last), f"the range {found[0]} runs backwards"
            yield from (f"{letter}{number}" for number in range(first, int(last) + 1))


def texts_of_python(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and docstring; those of attributes count, other strings do not."""
    with tokenize.open(path) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    significant = [token for token in tokens if token.type not in _INSIGNIFICANT]
    for token in tokens:
        if token.type == tokenize.COMMENT:
            yield token.start[0], _LINT_CODES.sub("", token.string)
    before = None
    for token, after in pairwise(significant):
        is_statement = before in _BEFORE_A_STATEMENT and after.type == tokenize.NEWLINE
        if token.type == tokenize.STRING and is_statement:
            yield token.start[0], token.string
        before = token.type


def texts_of_markdown(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each paragraph or table; fenced code is left out."""
    line = 1
    content = path.read_text(encoding="utf-8")
    prose = _CODE_BLOCK.sub(lambda block: "\n" * block[0].count("\n"), content)
    for paragraph in re.split(r"(\n\s*\n)", prose):
        yield line, paragraph
        line += paragraph.count("\n")


def cited() -> Iterator[tuple[str, str]]:
    """Every cited rule, with the place of its citation."""
    python = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    markdown = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for paths, texts in ((python, texts_of_python), (markdown, texts_of_markdown)):
        for path in paths:
            for line, text in texts(path):
                for rule in citations(text):
                    yield rule, f"{path.relative_to(ROOT)}:{line}"


def rows() -> list[list[str]]:
    """Cells of each rule's row in docs/rules.md, without the headings."""
    lines = RULES.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if row[0] != "rule" and not set(row[0]) <= set("-: ")]


def test_every_cited_rule_is_listed() -> None:
    listed = {row[0] for row in rows()}
    places = list(cited())
    assert any(place.startswith("adapters/") for _, place in places), "no citation was found at all"
    unknown = sorted({f"{rule} at {place}" for rule, place in places if rule not in listed})
    assert unknown == [], f"not in docs/rules.md: {unknown}"


@pytest.mark.parametrize("letter", SERIES)
def test_each_number_of_a_series_stands_once_and_in_order(letter: str) -> None:
    assert [row[0] for row in rows() if row[0].startswith(letter)] == SERIES[letter]


def test_no_row_is_of_another_series() -> None:
    assert [row[0] for row in rows() if row[0][:1] not in SERIES] == []


def test_each_row_says_something_and_has_a_mark() -> None:
    odd = [row for row in rows() if len(row) != 3 or not row[1] or not any(mark in row[2] for mark in MARKS)]
    assert odd == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sent once (L47, C3).", ["L47", "C3"]),
        ("both layers (L7-L9)", ["L7", "L8", "L9"]),
        ("both layers (L7-9)", ["L7", "L8", "L9"]),
        ("mixed reasons (C2a)", ["C2a"]),
        ("L999 is cited although it is not a rule", ["L999"]),
        ("tax codes V06 and `V25`, an X-L5, URL8 and L1234", []),
    ],
)
def test_what_counts_as_a_citation(text: str, expected: list[str]) -> None:
    assert list(citations(text)) == expected


def test_only_comments_and_docstrings_of_python_are_read(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text(
        '"""Module (L1)."""\n'
        "LIMIT = 100  # L2  # noqa: E501\n"
        '"""Attribute (L3)."""\n'
        'CODES = [\n    "V25",\n    "V26"\n]\n'
        "class Sample:\n"
        "    # before a docstring (L4)\n"
        '    """Class (L5)."""\n'
        "\n"
        "    def name(self) -> str:\n"
        '        """Method,\n\n        over lines (L6)."""\n'
        '        return "L7"\n',
        encoding="utf-8",
    )
    found = {rule for _, text in texts_of_python(source) for rule in citations(text)}
    assert found == {"L1", "L2", "L3", "L4", "L5", "L6"}


def test_prose_of_markdown_is_read_and_fenced_code_is_not(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Told once (L47).\n\n```\nL48\n```\n\n| U24 | `V25` |\n", encoding="utf-8")
    found = [(line, rule) for line, text in texts_of_markdown(page) for rule in citations(text)]
    assert found == [(1, "L47"), (7, "U24")]
