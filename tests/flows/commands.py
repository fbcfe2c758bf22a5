"""`pleo-export` called by a test: in this process, which has imported it, or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main

PROGRAM = Path(sys.executable).with_name("pleo-export")


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def in_process(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """Run the command here; what was said before it is thrown away."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return Ended(int(ended.value.code or 0), said.out, said.err)


def as_process(*arguments: str) -> Ended:
    """Run the command as users do."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=90)
    return Ended(done.returncode, done.stdout, done.stderr)


def last_json(done: Ended) -> Any:
    return json.loads(done.stdout.splitlines()[-1])
