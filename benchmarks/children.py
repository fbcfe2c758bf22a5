"""Measured processes: each waits for a line on stdin, does its work once, and answers the seconds it took."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping


class Child:
    """A warm process that does one piece of work each time it is asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def seconds(self) -> float:
        """Have the work done once and give its wall time.

        Raises:
            RuntimeError: the work failed; the child's own words are on stderr.

        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args!r} ended")
        return float(answer)


@contextlib.contextmanager
def child(module: str, environment: Mapping[str, str]) -> Iterator[Child]:
    """Run a module of this package as a measured process until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )
    try:
        yield Child(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
