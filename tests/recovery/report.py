"""The table of the kill harness at the end of a test run: cases, runs that they took, invariants, seconds."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

PROPERTY = "kills"
"""Name of the property in which a test hands on its tally, as a dictionary."""

_TALLIES: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the tallies, those of other processes too."""
    if report.when == "call":
        _TALLIES.extend(value for name, value in report.user_properties if name == PROPERTY)


def pytest_terminal_summary() -> None:
    """Print the table, where runs were disturbed."""
    if not _TALLIES:
        return
    columns = ("what was done", "cases", "runs afterwards", "invariants", "violations", "seconds")
    table = Table(*columns, title="Runs disturbed", title_justify="left")
    for tally in _TALLIES:
        figures = (tally["cases"], tally["recoveries"], tally["invariants"], len(tally["violated"]))
        table.add_row(tally["name"], *map(str, figures), f"{tally['seconds']:.0f}")
    Console().print(table)
