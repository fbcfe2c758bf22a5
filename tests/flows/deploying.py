"""Deploys as the README says, and runs a worker, all with commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SECONDS = 60


def prefect(*arguments: str, seconds: float = SECONDS) -> str:
    return command(BIN / "prefect", "--no-prompt", *arguments, seconds=seconds)


def deploy() -> str:
    """Do what the README says."""
    return command(sys.executable, "-m", "deploy.deployments")


def command(*words: str | Path, seconds: float = SECONDS) -> str:
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def worker(log: Path, pool: str = "pleo-export") -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [BIN / "prefect", "worker", "start", "--pool", pool],
            cwd=CHECKOUT,
            env={**os.environ, "PREFECT_WORKER_QUERY_SECONDS": "0.5"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
