"""Tables for a person at a terminal; the same rows become Prefect artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.accounting.contract import CheckOutcome
from adapters.texts import printable
from flows.item_rows import item_rows
from flows.report import RunReport, check_rows, timeline_rows

_NEVER_WRAPPED = 17
"""Characters of a column that keeps its width; long ones share what is left."""

_WORD = 22
"""Characters of a word, such as an account's name, for which room is kept."""

_SHORT_ID = 8
"""Characters of an id that tell the items of one job apart."""

_ITEMS_SHOWN = 200
"""Items in a table for a terminal; those with something to say come first where there are more."""

_COLOURS = {
    **dict.fromkeys(("passed", "booked", "booked again", "booked before"), "green"),
    **dict.fromkeys(("failed",), "red"),
    "warning": "yellow",
    "not run": "dim",
}


def print_rows(title: str, rows: Sequence[dict[str, str]], console: Console | None = None) -> None:
    """Print rows as a table; columns that are empty in every row are left out.

    What stands in the rows is shown as it is: no markup, no escape sequences. Short columns keep their
    width; the others share the rest by their longest words.
    """
    rows = [{name: printable(value) for name, value in row.items()} for row in rows]
    columns = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    table = Table(title=Text(printable(title)), title_justify="left", title_style="bold")
    for name in columns:
        longest_line = max(len(line) for row in rows for line in [*row[name].splitlines(), ""])
        if longest_line <= _NEVER_WRAPPED:
            table.add_column(name, no_wrap=True)
            continue
        longest_word = max(len(word) for row in rows for word in [*row[name].split(), ""])
        table.add_column(name, overflow="fold", ratio=min(longest_word, _WORD))
        table.expand = True
    for row in rows:
        table.add_row(*(Text(row[name], style=_COLOURS.get(row[name], "")) for name in columns))
    (console or Console()).print(table)


def print_checks(title: str, outcomes: Sequence[CheckOutcome], console: Console | None = None) -> None:
    """Print the check report; who acts stands before the remedy, since six columns are too many for 80."""
    rows = []
    for row in check_rows(outcomes):
        who, what = row.pop("who mends it"), row.pop("what to do")
        rows.append({**row, "remedy": f"{who[:1].upper()}{who[1:]}: {what}" if who else what})
    print_rows(title, rows, console)


def print_items(title: str, rows: Sequence[dict[str, str]], console: Console | None = None) -> None:
    """Print the items table; ids are shortened and links left out, which the artifact has in full.

    Of many items those are shown that failed or have a warning, and as many others as there is room for.
    """
    shown = []
    if len(rows) > _ITEMS_SHOWN:
        title += f": {_ITEMS_SHOWN} of {len(rows)}, what failed or has a warning first"
        rows = sorted(rows, key=lambda row: row["result"] != "failed" and not row["warning"])[:_ITEMS_SHOWN]
    for row in rows:
        reason = row["entry or reason"] if row["result"] == "failed" else ""
        shown.append(
            {
                "item": f"{row['item'][:_SHORT_ID]}\n{row['date']}",
                **{name: row[name] for name in ("amount", "debit / credit", "result")},
                "why": f"{reason} {row['warning']}".strip(),
            }
        )
    print_rows(title, shown, console)


@contextmanager
def watched(report: RunReport) -> Iterator[None]:
    """Show a progress bar on standard error while items are booked, where that is a terminal."""
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Booking", total=None, visible=False)

        def watch(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        report.watch = watch
        yield


def print_run(report: RunReport, console: Console | None = None) -> None:
    """Print what the checks of a run found, its timeline, and how it ended."""
    console = console or Console()
    if report.checks:
        print_checks("Checks", report.checks, console)
    if report.lifecycle:
        print_rows(f"Job {report.job_id}", timeline_rows(report), console)
    if report.lines:
        print_items("Items", item_rows(report.lines), console)
    console.print(Text(printable(f"{report.state_name}: {report.message}")))
