"""One stand an adapter for the whole session, the record of what was shown, and its table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from rich.console import Console
from rich.table import Table

from adapters.accounting.registry import registered
from tests.contract.quality import quality_of
from tests.contract.scenarios import SCENARIOS
from tests.contract.stand import Stand, stand_of


@dataclass
class Shown:
    """What the tests of this session have shown.

    Attributes:
        rules: pairs of adapter and rule for which a test passed.
        seconds: time to the verdict, by adapter and scenario.

    """

    rules: set[tuple[str, str]] = field(default_factory=set)
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)


_SHOWN = pytest.StashKey[Shown]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SHOWN] = Shown()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note the rules that a passed test covers; `covers(adapter, rule, …)` marks them."""
    report = yield
    if report.when == "call" and report.passed:
        for mark in item.iter_markers("covers"):
            adapter, *rules = mark.args
            item.config.stash[_SHOWN].rules |= {(adapter, rule) for rule in rules}
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the test that asks what was covered run after all others."""
    items.sort(key=lambda item: item.get_closest_marker("after_all_others") is not None)


@pytest.fixture(scope="session")
def shown(pytestconfig: pytest.Config) -> Shown:
    return pytestconfig.stash[_SHOWN]


@pytest.fixture(scope="session")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stand]]:
    """Start the stand of an adapter at its first use."""
    started: dict[str, Stand] = {}
    with ExitStack() as stack:

        def stand(adapter: str) -> Stand:
            if adapter not in started:
                started[adapter] = stand_of(adapter)(stack, tmp_path_factory.mktemp(f"stand-{adapter}"))
            return started[adapter]

        yield stand


def pytest_terminal_summary(config: pytest.Config) -> None:
    """Print the seconds to the verdict of each scenario and adapter, where scenarios were run."""
    seconds = config.stash[_SHOWN].seconds
    if not seconds:
        return
    table = Table("scenario", *registered(), title="Seconds to the verdict", title_justify="left")
    for scenario in SCENARIOS:
        cells = []
        for adapter in registered():
            took = seconds.get((adapter, scenario))
            exempt = scenario in quality_of(adapter).exempt
            cells.append(f"{took:.2f}" if took is not None else "exempt" if exempt else "")
        table.add_row(scenario, *cells)
    Console().print(table)
