"""A Prefect server of these tests' own, all of whose files are looked through afterwards."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.commands.local_services import prefect_server
from tests.secrets.crashing import register
from tests.secrets.traces import Traces, files_below

# Each kind of character that some encoding writes in another way.
SECRET = 'Kq7"vX\\2/m+Zt9&wB=4%jR<8;hN~6pLd0sY'

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a signing secret that nobody reads").decode()


@dataclass
class Place:
    """Where the flows of a test run.

    Attributes:
        inside: all that is written by us: Prefect's homes, the working folder, temporary files.
        outside: what Pleo keeps, which knows the secret rightly.

    """

    inside: Path
    outside: Path
    environment: dict[str, str]

    def run(self, *ways: str, seconds: float = 200) -> tuple[list[dict[str, Any]], bytes]:
        """Run the flows in these ways; give how each ended, and all that was said."""
        done = self.command(sys.executable, "-m", "tests.secrets.driver", *ways, seconds=seconds)
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr

    def command(self, *command: str, seconds: float = 200, **more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            cwd=self.inside / "work",
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
        )


@contextmanager
def a_place(factory: pytest.TempPathFactory, **server: str) -> Iterator[Place]:
    """Run a Prefect server with these settings, and give the place of which it is a part."""
    inside, outside = factory.mktemp("inside"), factory.mktemp("outside")
    for name in ("work", "tmp"):
        (inside / name).mkdir()
    register(outside / "installed")
    with prefect_server(inside / "server", server) as api:
        yield Place(inside, outside, _environment(inside, outside, api))


@pytest.fixture(scope="session")
def traces() -> Traces:
    return Traces({"the secret": SECRET, "the webhook's": WEBHOOK_SECRET})


def left(place: Place, traces: Traces) -> dict[str, set[str]]:
    """Name the files that hold a trace, and of what."""
    found = {name: traces.inside(data) for name, data in files_below(place.inside)}
    return {name: what for name, what in found.items() if what}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with a_place(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place of its own: into the other one a secret is planted."""
    with a_place(tmp_path_factory) as made:
        yield made


def _environment(inside: Path, outside: Path, api: str) -> dict[str, str]:
    root = Path(__file__).parents[2]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLEO_", "PREFECT_"))}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(str, (root, outside / "installed"))),
        "TMPDIR": str(inside / "tmp"),
        "PREFECT_HOME": str(inside / "client"),
        "PREFECT_API_URL": api,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
        "TEST_SECRET": SECRET,
        "TEST_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "TEST_OUTSIDE": str(outside),
    }


def ended(runs: Sequence[dict[str, Any]], way: str) -> dict[str, Any]:
    return next(run for run in runs if run["way"] == way)
