"""What a person reads on a run's artifacts: the check report, the timeline, the items."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.accounting.booking import Booked, Refused
from adapters.accounting.contract import CheckOutcome
from flows.item_rows import item_rows
from flows.lines import Line
from flows.markdown import link, table, text, together
from flows.report import RunReport, check_rows, timeline_rows

ITEMS_ON_A_PAGE = 200
"""Rows of the items page; a job with more has all of them in a second artifact, which can be searched."""

_SHORT_ID = 8
_SHORT = 12
"""Characters of a text, such as `0.02 s`, that is not worth breaking."""


def check_page(outcomes: Sequence[CheckOutcome]) -> str:
    """Give the check report: check, verdict, time, and for what is not right cause, who mends it and how."""
    return _table_of_texts(check_rows(outcomes))


def check_summary(outcomes: Sequence[CheckOutcome]) -> str:
    """Say in one line what the checks amount to."""
    if not outcomes:
        return "The checks were not reached."
    for outcome in outcomes:
        if outcome.failure:
            return f"Not ready. {outcome.failure.cause}"
    cautions = sum(len(outcome.cautions) for outcome in outcomes)
    return "Ready to take entries." + (f" {cautions} warning(s)." if cautions else "")


def timeline_page(report: RunReport) -> str:
    """Give the run's ending in words, and the stages of its job with their times."""
    ending = f"**{text(report.state_name)}.** {text(report.message)}" if report.state_name else ""
    return _parts(ending, _table_of_texts(timeline_rows(report)))


def items_page(lines: Sequence[Line]) -> str:
    """Give the items that failed or were warned of, each with its reason, then those in the books.

    Not more than a page holds; who needs the others finds them in the artifact with all of them.
    """
    ordered = sorted(lines, key=_calm)
    shown = list(zip(ordered, item_rows(ordered[:ITEMS_ON_A_PAGE]), strict=False))
    odd = [_odd_row(line, row) for line, row in shown if _calm(line) < _CALM]
    rest = [_booked_row(line, row) for line, row in shown if _calm(line) == _CALM]
    more = len(ordered) - len(shown)
    return _parts(
        f"## Look at these\n\n{table(odd)}" if odd else "",
        f"## In the books\n\n{table(rest)}" if rest else "",
        f"{more} more item(s) are in the artifact `all-items` of this run." if more else "",
    )


def all_items(lines: Sequence[Line]) -> list[dict[str, str]]:
    """Give a table of every item, each cell Markdown, in which the entries' addresses are links."""
    return [
        {
            **{name: text(value) for name, value in row.items()},
            "result": _result(line, row),
        }
        for line, row in zip(lines, item_rows(lines), strict=True)
    ]


def companies_page(rows: Sequence[dict[str, str]], message: str) -> str:
    """Give the run's ending in words, and one row a company."""
    return _parts(text(message), table([{name: text(value) for name, value in row.items()} for row in rows]))


def items_summary(lines: Sequence[Line]) -> str:
    """Say in one line how many items ended how."""
    counts: dict[str, int] = {}
    for row in item_rows(lines):
        counts[row["result"]] = counts.get(row["result"], 0) + 1
    return ", ".join(f"{number} {result}" for result, number in sorted(counts.items())) + "."


_CALM = 2


def _calm(line: Line) -> int:
    return 0 if isinstance(line.result, Refused) else 1 if line.warnings else _CALM


def _odd_row(line: Line, row: dict[str, str]) -> dict[str, str]:
    reason = row["entry or reason"] if isinstance(line.result, Refused) else ""
    return {
        "item": together(row["item"][:_SHORT_ID]),  # the first part of Pleo's accountingEntryId
        "date": together(row["date"]),
        "amount": together(row["amount"]),
        "result": _result(line, row),
        "why": text(f"{reason} {row['warning']}".strip()),
    }


def _booked_row(line: Line, row: dict[str, str]) -> dict[str, str]:
    return {
        "date": together(row["date"]),
        "amount": together(row["amount"]),
        "description": text(row["description"]),
        "debit / credit": text(row["debit / credit"]),
        "result": _result(line, row),
    }


def _result(line: Line, row: dict[str, str]) -> str:
    """Give the result, as a link to the entry where the accounting system shows entries."""
    url = line.result.external_url if isinstance(line.result, Booked) else None
    return link(row["result"], url) if url else text(row["result"])


def _table_of_texts(rows: Sequence[dict[str, str]]) -> str:
    return table(
        [
            {name: together(value) if len(value) <= _SHORT else text(value) for name, value in row.items()}
            for row in rows
        ]
    )


def _parts(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
