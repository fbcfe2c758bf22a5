"""Medians and worst runs, and the table that shows them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Series:
    """Wall times of one kind of run, in seconds."""

    name: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median wall time."""
        return statistics.median(self.seconds)

    @property
    def worst(self) -> float:
        """Longest wall time."""
        return max(self.seconds)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table of results."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


def verdict(met: bool) -> str:
    """Say whether an aim was met."""
    return "met" if met else "MISSED"
