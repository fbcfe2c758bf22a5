"""The lock of a company between processes, and what becomes of it when one of them or the server dies.

Each test has a server of its own, which it stops and starts again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import free_port, installed_program, prefect_server
from flows.lease import LEASE_SECONDS
from tests.flows.exports import entries, events, links, make_job
from tests.support.fava_server import FavaServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(420)]

FREE_AGAIN_SECONDS = 120
"""What the documents promise for the lock of a run that was killed."""


class Server:
    """A Prefect server at one address, stopped and started at will."""

    def __init__(self, home: Path) -> None:
        self._home, self._port, self._up = home, free_port(), ExitStack()
        self.environment = {
            **os.environ,
            "PREFECT_API_URL": f"http://127.0.0.1:{self._port}/api",
            "PREFECT_HOME": str(home / "client"),
        }

    def start(self) -> None:
        self._up.enter_context(prefect_server(self._home, port=self._port))

    def stop(self) -> None:
        self._up.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "prefect")
    server.start()
    yield server
    server.stop()


@contextmanager
def holding(server: Server, company: str, seconds: float = 300) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.lock_holder", company, str(seconds)],
        cwd=Path(__file__).parents[2],
        env=server.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str]) -> str:
    """The next word of a process that takes the lock."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("restarted", [False, True], ids=["", "server restarted"])
def test_the_lock_of_a_killed_run_frees_itself(
    server: Server, restarted: bool, record_property: Callable[[str, object], None]
) -> None:
    company = str(uuid4())
    with holding(server, company) as holder:
        assert said(holder) == "held"
        holder.kill()
        killed_at = time.monotonic()
    if restarted:
        server.stop()
        server.start()
    word = "busy"
    while word == "busy" and time.monotonic() < killed_at + FREE_AGAIN_SECONDS:
        with holding(server, company) as following:
            word = said(following)
    took = time.monotonic() - killed_at
    record_property("free again after seconds", round(took))
    assert word == "held"
    assert took < FREE_AGAIN_SECONDS


def test_simultaneous_starts_and_two_companies(server: Server) -> None:
    company, other = str(uuid4()), str(uuid4())
    with ExitStack() as stack:
        same = [stack.enter_context(holding(server, company)) for _ in range(3)]
        beside = stack.enter_context(holding(server, other))
        assert said(beside) == "held", "another company is not kept waiting"
        assert sorted(said(process) for process in same) == ["busy", "busy", "held"]


def test_a_server_that_is_gone(server: Server, record_property: Callable[[str, object], None]) -> None:
    company = str(uuid4())
    with holding(server, company) as holder:
        assert said(holder) == "held"
        server.stop()
        stopped_at = time.monotonic()
        with holding(server, company) as following:
            assert said(following) == "not had"
        assert said(holder) == "lost", "what is at work stops, as its lease cannot be renewed"
        took = time.monotonic() - stopped_at
        record_property("stopped so many seconds after the server", round(took))
        assert took < LEASE_SECONDS, "before another run could have the lock"
    server.start()
    words = ["busy"]
    while words[0] == "busy":
        with holding(server, company, 0) as again:
            words = [said(again), said(again)]
    assert words == ["held", "left"]


def test_a_run_whose_lock_is_lost_stops_booking_and_the_next_one_ends_the_job(
    server: Server,
    pleo: EmbeddedPleo,
    fava: FavaServer,
    connect: Callable[..., None],
    record_property: Callable[[str, object], None],
) -> None:
    connect(
        fava.url,
        ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees",
        POSTING="final",
        PLEO__CALL_DEADLINE_SECONDS="200",
    )
    environment = {**os.environ, **server.environment}
    command = [installed_program("pleo-export"), "run"]
    job_id = make_job(pleo, 3)
    fault = pleo.inject(kind="delay", operation="updateExportJobItems", delay_seconds=150)
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while len(links(fava)) < 3 and time.monotonic() < end:
        time.sleep(0.2)
    assert len(links(fava)) == 3, "booked, and the report is under way"
    server.stop()
    stopped_at = time.monotonic()
    output, _ = run.communicate(timeout=240)
    record_property("stopped so many seconds after the server", round(time.monotonic() - stopped_at))
    assert "did not renew the company's lock" in " ".join(output.split())
    assert run.returncode == 4
    assert pleo.job(job_id)["status"] == "in_progress"
    pleo.clear_faults(fault)
    server.start()
    end = time.monotonic() + FREE_AGAIN_SECONDS
    returned = 6
    while returned == 6 and time.monotonic() < end:
        returned = subprocess.run(command, env=environment, timeout=120, capture_output=True).returncode
    assert returned == 0
    assert events(pleo, job_id) == ["started", "completed"]
    assert links(fava) == entries(pleo, job_id), "each of them once"
