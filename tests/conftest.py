"""Settings that hold for the whole suite: a Prefect of its own, no settings of a real company."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from flows.commands.local_services import free_port

PREFECT_PORT = free_port()
PREFECT_FOLDER = Path(tempfile.mkdtemp(prefix="pleo-export-tests-"))

for _name in [name for name in os.environ if name.startswith(("PLEO_EXPORT_", "PREFECT_"))]:
    del os.environ[_name]
os.environ.update(
    {
        "PREFECT_HOME": str(PREFECT_FOLDER / "client"),
        "PREFECT_API_URL": f"http://127.0.0.1:{PREFECT_PORT}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
)
# How long one example takes says more about the machine than about the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


pytest_plugins = ["tests.contract.report", "tests.recovery.report"]

SHARED_SERVERS = {
    "tests/browser": "browser",
    "tests/contract": "systems",
    "tests/recovery": "recovery",
    "tests/adapters/accounting/tryton": "systems",
}
"""Folders whose tests share servers, and so a process where the suite runs in several; longest path first.

Those of `tests/flows` share a Prefect too, but take more than half of all the time: each process has its own.
"""


class ByServers(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole files, and whole folders where their tests share servers."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return _group(path) or path


def _group(path: str) -> str | None:
    return next((group for folder, group in SHARED_SERVERS.items() if path.startswith(f"{folder}/")), None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServers:
    return ByServers(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest servers, so that no process waits for them at the end."""
    items.sort(
        key=lambda item: _group(item.nodeid) is None and not item.nodeid.startswith("tests/flows/test_")
    )


def pytest_unconfigure() -> None:
    shutil.rmtree(PREFECT_FOLDER, ignore_errors=True)
