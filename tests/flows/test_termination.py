"""SIGTERM ends a run, also where it strikes in asyncio's own code, and leaves the job to the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from prefect.exceptions import TerminationSignal

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import installed_program
from flows.termination import ended_by_sigterm
from tests.flows.exports import entries, events, links, make_job
from tests.support.fava_server import FavaServer


def struck() -> None:
    raise TerminationSignal(signal.SIGTERM)


async def run(then: Callable[[], None], inside: int = 0) -> str:
    """A run, and runs inside it, that waits; `then` happens in a callback of the loop meanwhile."""
    with ended_by_sigterm():
        if inside:
            return await run(then, inside - 1)
        asyncio.get_running_loop().call_soon(then)
        await asyncio.sleep(0.2)
        return "went on"


@pytest.mark.parametrize("inside", [0, 1])
async def test_a_signal_that_asyncio_caught_ends_all_runs_of_the_loop(inside: int) -> None:
    waiting = asyncio.create_task(run(lambda: None))
    ended = asyncio.create_task(run(struck, inside))
    done = await asyncio.gather(waiting, ended, return_exceptions=True)
    assert [type(each) for each in done] == [asyncio.CancelledError, asyncio.CancelledError]
    assert await run(lambda: None) == "went on", "the next run is not touched"


async def test_other_exceptions_go_where_they_went() -> None:
    def other() -> None:
        raise LookupError

    loop, told = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        assert await asyncio.gather(run(other), run(other)) == ["went on", "went on"]
        assert [type(each["exception"]) for each in told] == [LookupError, LookupError]
        loop.call_soon(struck)  # outside a run it is nobody's
        await asyncio.sleep(0)
        assert type(told[-1]["exception"]) is TerminationSignal
    finally:
        loop.set_exception_handler(None)


@pytest.mark.slow
def test_the_command(
    prefect_api: str, pleo: EmbeddedPleo, fava: FavaServer, connect: Callable[..., None]
) -> None:
    connect(fava.url, ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees", POSTING="final")
    job_id = make_job(pleo, 2)
    slow = pleo.inject(kind="delay", operation="updateExportJobItems", delay_seconds=20)
    command = [installed_program("pleo-export"), "run"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not any(fault["struck"] for fault in pleo.faults()) and time.monotonic() < end:
        time.sleep(0.1)  # then it waits for the answer to its report
    os.kill(process.pid, signal.SIGTERM)
    _output, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("Ended by SIGTERM.")
    assert pleo.job(job_id)["status"] == "in_progress"
    pleo.clear_faults(slow)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert events(pleo, job_id) == ["started", "completed"]
    assert links(fava) == entries(pleo, job_id)
