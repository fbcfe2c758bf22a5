"""Runs of the flow as processes that can be killed, at a fraction of what starting Python costs.

A fork server has imported Prefect and the flows; each run is a fork of it with an environment, a folder and
a log of its own. Only the import is shared: client, settings of the connection and event loop are the run's.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from enum import StrEnum
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "flows.cli",
        "flows.commands.run",
        "flows.watch_exports",
        "flows.terminal",
        "adapters.accounting.fava.adapter",
        "adapters.accounting.tryton.adapter",
        # What Prefect imports only once a flow runs, half a second in all.
        "prefect.flow_engine",
        "prefect.task_engine",
        "anyio._backends._asyncio",
        "fastapi",
        "graphviz",
    ]
)


class Program(StrEnum):
    """What is run: the command `pleo-export run`, or what the schedule runs."""

    RUN = "pleo-export run"
    WATCH = "watch-exports"


class Process:
    """One run; `begin` starts it.

    Args:
        program: what to run.
        prefect: address of Prefect's API.
        environment: settings of the connection.
        folder: where it runs; its output is appended to `runs.log` there.
        quick: look for entries whose answer was lost twice within a tenth of a second, not for 17 s.

    """

    def __init__(
        self,
        program: Program,
        prefect: str,
        environment: Mapping[str, str],
        folder: Path,
        *,
        quick: bool = False,
    ) -> None:
        self.over = threading.Event()
        self._process: ForkServerProcess = _FORKING.Process(
            target=_work, args=(program.value, prefect, dict(environment), str(folder), quick)
        )

    def begin(self) -> None:
        """Start it."""
        self._process.start()

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Give the exit code, or the negative number of the signal that ended it.

        Raises:
            TimeoutError: it did not end in time; it was killed.

        """
        self._process.join(seconds)
        late = self._process.exitcode is None
        if late:
            self._process.kill()
            self._process.join(10)
        self.over.set()
        code = self._process.exitcode
        self._process.close()
        if late or code is None:
            raise TimeoutError
        return code

    def _signal(self, number: signal.Signals) -> None:
        pid = self._process.pid
        assert pid is not None
        os.kill(pid, number)


def _work(program: str, prefect: str, environment: dict[str, str], folder: str, quick: bool) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    os.chdir(folder)
    os.environ.update(environment, PREFECT_API_URL=prefect)
    log = os.open("runs.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if quick:
        from flows import booking

        booking.LOOKING_UP_AGAIN_SECONDS = (0.0, 0.1)
    with temporary_settings({PREFECT_API_URL: prefect}):  # Prefect was imported before it was known
        _RUN[Program(program)]()


def _run() -> None:
    from flows.start import main

    sys.argv = ["pleo-export", "run", "--json"]
    main()


def _watch() -> None:
    from flows.watch_exports import watch_exports

    asyncio.run(watch_exports(return_state=True))


_RUN = {Program.RUN: _run, Program.WATCH: _watch}
