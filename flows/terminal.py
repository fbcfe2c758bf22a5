"""Tables for a person at a terminal; the same rows become Prefect artifacts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.report import RunReport, timeline_rows

_NEVER_WRAPPED = 17
"""Characters of a column that keeps its width; long ones share what is left."""

_COLOURS = {"passed": "green", "warning": "yellow", "failed": "red", "not run": "dim"}


def print_rows(title: str, rows: Sequence[dict[str, str]], console: Console | None = None) -> None:
    """Print rows as a table; columns that are empty in every row are left out."""
    columns = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=max(len(row[name]) for row in rows) <= _NEVER_WRAPPED)
    for row in rows:
        table.add_row(*(Text(row[name], style=_COLOURS.get(row[name], "")) for name in columns))
    (console or Console()).print(table)


def print_run(report: RunReport, console: Console | None = None) -> None:
    """Print the timeline of a run and how it ended."""
    console = console or Console()
    if report.lifecycle:
        print_rows(f"Job {report.job_id}", timeline_rows(report), console)
    console.print(Text(f"{report.state_name}: {report.message}"))
