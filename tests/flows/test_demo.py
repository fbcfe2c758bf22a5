"""`pleo-export demo`: it ends as it promises, stays in its folder, and stops what it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from adapters.accounting.failures import FailureKind
from tests.flows.commands import PROGRAM


def started_in(folder: Path) -> list[str]:
    """Command lines of the processes whose working directory is below a folder, zombies left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.slow
def test_the_demo_ends_as_it_should_and_stays_in_its_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    folder = tmp_path / "checkout"
    folder.mkdir()
    done = subprocess.run(
        [PROGRAM, "demo", "--json"],
        cwd=folder,
        env={**os.environ, "HOME": str(home), "PREFECT_HOME": str(home / ".prefect")},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["ok"]
    assert [run["pleo"]["status"] for run in record["scenarios"]] == [
        "completed_with_errors",
        "failed",
        "failed",
    ]
    assert [path.name for path in folder.iterdir()] == [".demo"]
    assert list(home.iterdir()) == [], "nothing is left elsewhere"
    assert started_in(tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_demo_with_tryton_ends_as_it_should(tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "demo", "--tryton", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=390
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    kinds = [run["run"]["failure"] and run["run"]["failure"]["kind"] for run in record["scenarios"]]
    expected = ["creation_not_allowed", "no_open_period", "credentials_refused", "connection_refused"]
    assert kinds == [None, *expected]
    assert started_in(tmp_path) == []


@pytest.mark.slow
def test_every_failure_can_be_shown(tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "demo", "--failures", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    shown = {failure["kind"] for failure in record["failures"]}
    assert shown == {kind for kind in FailureKind if not kind.concerns_pleo}
    assert all(failure["as_expected"] for failure in record["failures"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "program"),
    [
        pytest.param(signal.SIGINT, "fava", marks=pytest.mark.slow),
        (signal.SIGTERM, "prefect"),
    ],
)
def test_an_interrupted_demo_stops_what_it_started(
    tmp_path: Path, number: signal.Signals, program: str
) -> None:
    demo = subprocess.Popen(
        [PROGRAM, "demo"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 60
    while not any(f"bin/{program} " in command for command in started_in(tmp_path)):
        assert time.monotonic() < end, f"the demo's {program} did not start"
        time.sleep(0.1)
    demo.send_signal(number)
    time.sleep(0.2)
    demo.send_signal(number)  # an impatient second one must not leave processes behind
    assert demo.wait(40) == 130
    assert started_in(tmp_path) == []


@pytest.mark.parametrize(("option", "program"), [([], "prefect"), (["--tryton"], "trytond")])
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, option: list[str], program: str
) -> None:
    """A Python that has no programs beside it stands for an installation without the extras."""
    script = (
        f"import sys; sys.executable = {str(tmp_path / 'python')!r}\n"
        f"from flows.cli import main; main(['demo', *{option!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"{program} is not installed" in done.stderr
    assert "pleo-export[tryton]" in done.stderr
    assert "Traceback" not in done.stderr
    assert subprocess.run([PROGRAM, "demo", "--help"], capture_output=True, timeout=60).returncode == 0
