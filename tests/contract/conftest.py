"""One stand an adapter for the whole session, and the record of the rules that were shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.stand import Stand, stand_of
from tests.support.kept_folder import kept_folder

Shown = set[tuple[str, str]]
"""Pairs of adapter and rule for which a test of this session passed."""

_SHOWN = pytest.StashKey[Shown]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SHOWN] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note the rules that a passed test covers; `covers(adapter, rule, …)` marks them."""
    report = yield
    if report.when == "call" and report.passed:
        for mark in item.iter_markers("covers"):
            adapter, *rules = mark.args
            item.config.stash[_SHOWN] |= {(adapter, rule) for rule in rules}
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the test that asks what was shown run after all others."""
    items.sort(key=lambda item: item.get_closest_marker("after_all_others") is not None)


@pytest.fixture(scope="session")
def shown(pytestconfig: pytest.Config) -> Shown:
    return pytestconfig.stash[_SHOWN]


@pytest.fixture(scope="session")
def stands(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Stand]]:
    """Start the stand of an adapter at its first use."""
    started: dict[str, Stand] = {}
    with ExitStack() as stack:

        def stand(adapter: str) -> Stand:
            if adapter not in started:
                folder = tmp_path_factory.mktemp(f"stand-{adapter}")
                kept = kept_folder(pytestconfig, tmp_path_factory, adapter)
                started[adapter] = stand_of(adapter)(stack, folder, kept)
            return started[adapter]

        yield stand
