"""Settings that hold for the whole suite: a Prefect of its own, no settings of a real company."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis

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


def pytest_unconfigure() -> None:
    shutil.rmtree(PREFECT_FOLDER, ignore_errors=True)
