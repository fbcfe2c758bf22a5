"""The table of the conformance suite at the end of a test run: seconds to the verdict of each scenario."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table

from adapters.accounting.registry import registered
from tests.contract.quality import quality_of
from tests.contract.scenarios import SCENARIOS

PROPERTY = "seconds to the verdict"
"""Name of the property in which a test hands its measurement on: adapter, scenario, seconds."""

_MEASURED: dict[tuple[str, str], float] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the measurements, those of other processes too."""
    if report.when == "call":
        for name, value in report.user_properties:
            if name == PROPERTY:
                adapter, scenario, seconds = value
                _MEASURED[adapter, scenario] = seconds


def pytest_terminal_summary() -> None:
    """Print the table, where scenarios were run."""
    if not _MEASURED:
        return
    table = Table("scenario", *registered(), title="Seconds to the verdict", title_justify="left")
    for scenario in SCENARIOS:
        table.add_row(scenario, *(_cell(adapter, scenario) for adapter in registered()))
    Console().print(table)


def _cell(adapter: str, scenario: str) -> str:
    if scenario in quality_of(adapter).exempt:
        return "exempt"
    seconds = _MEASURED.get((adapter, scenario))
    return "" if seconds is None else f"{seconds:.2f}"
