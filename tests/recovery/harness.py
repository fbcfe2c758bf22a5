"""One case: a job, a run that is disturbed at one request, then the schedule's runs until the job is over."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound

from adapters.environment import PREFIX
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.recovery.books import Books
from tests.recovery.invariants import FINAL_JOB, INVARIANTS, Invariant, Seen, first_of_items, violations
from tests.recovery.jobs import Expense, Job, order, order_again
from tests.recovery.processes import Process, Program
from tests.recovery.wire import Moment, Passed, Side, Wire

MOST_RUNS = 3
"""Runs of the schedule in which a job must be over; one is what is wanted."""

SECONDS = 60.0

THINNED = int(os.environ.get("KILLS_THINNED", "1"))
"""Take only every so manieth case, for a look at a slow machine: `KILLS_THINNED=5 make test ...`."""

logger = logging.getLogger(__name__)

Strike = Callable[["Stand", Process], None]
"""What happens at the held request."""


@dataclass
class Tally:
    """What a test has to tell: how many cases, how many runs after the disturbed one, what was violated."""

    name: str
    cases: int = 0
    recoveries: int = 0
    invariants: int = len(INVARIANTS)
    seconds: float = 0.0
    violated: list[str] = field(default_factory=list)


@dataclass
class Scenario:
    """A kind of job and the program that takes it.

    Attributes:
        expenses: makes its items anew for each case.
        program: what is disturbed; the schedule's runs come afterwards in any case.
        settings: of the connection.
        but: invariants that it cannot have.

    """

    expenses: Callable[[], Sequence[Expense]]
    program: Program = Program.RUN
    settings: dict[str, str] = field(default_factory=dict)
    but: tuple[Invariant, ...] = ()


@dataclass(frozen=True)
class Case:
    """What happened: the job, the requests of each run, and whether the request to be held came."""

    job: Job
    runs: list[list[Passed]]
    struck: bool


class Stand:
    """One Pleo, one accounting system, the wire between them and the runs, and a Prefect.

    Args:
        pleo: the embedded Pleo; its state is reset for each case.
        books: the accounting system's books.
        wire: leads to both.
        prefect: address of Prefect's API.
        folder: where the runs work.

    """

    def __init__(self, pleo: EmbeddedPleo, books: Books, wire: Wire, prefect: str, folder: Path) -> None:
        self.pleo, self.books, self.wire = pleo, books, wire
        self.prefect, self.folder = prefect, folder
        self._others: set[str] = set()

    def environment(self, scenario: Scenario) -> dict[str, str]:
        """Settings of the connection as variables."""
        settings = {
            "COMPANY_ID": str(self.pleo.company_id),
            "PLEO__BASE_URL": self.wire.address(Side.PLEO),
            "PLEO__API_KEY": self.pleo.api_key,
            "PLEO__CALL_DEADLINE_SECONDS": "5",
            "PLEO__RETRY_SECONDS": "1",
            "VALIDATION_DEADLINE_SECONDS": "5",
            "CHECK_DEADLINE_SECONDS": "5",
            "POSTING": "final",
            **self.books.settings(self.wire.address(Side.BOOKS)),
            **scenario.settings,
        }
        return {PREFIX + name: value for name, value in settings.items()}

    def record(self, scenario: Scenario) -> list[Passed]:
        """Run a job undisturbed, see that all invariants hold, and give the requests that it takes."""
        job = self.renew(scenario)
        passed = self.run_once(scenario, scenario.program)
        wrong = self.judge(scenario, job, [passed], ready_of(passed))
        assert not wrong, wrong
        return passed

    def case(self, scenario: Scenario, number: int, moment: Moment, strike: Strike) -> Case:
        """Disturb a run at one request, and have the schedule bring the job to its end."""
        job = self.renew(scenario)
        process = self._start(scenario, scenario.program)
        self.wire.hold(number, moment, lambda: strike(self, process), over=process.over)
        process.begin()
        process.wait(SECONDS)
        runs, struck = [self.wire.passed], self.wire.struck
        self.free_slot()
        self.books.come_back()
        for side in Side:
            self.wire.open(side)
        runs += self.finish(scenario, job)
        return Case(job, runs, struck)

    def finish(self, scenario: Scenario, job: Job) -> list[list[Passed]]:
        """Do what the schedule does until the job is over, and give the requests of each run."""
        runs: list[list[Passed]] = []
        while self.pleo.job(job.id)["status"] not in FINAL_JOB and len(runs) < MOST_RUNS:
            runs.append(self.run_once(scenario, Program.WATCH))
        return runs

    def again(self, scenario: Scenario, job: Job) -> list[str]:
        """Export the items once more that could have been booked and were not; say what is wrong then."""
        states = {item["accountingEntryId"]: item["status"] for item in self.pleo.job(job.id)["items"]}
        left = [each.entry for each in job.bookable if states[each.entry] != "successful"]
        if not left:
            return []
        self.books.mend()  # as a person does who reads why the job failed
        second = order_again(self.pleo, self.books, job, left)
        runs = self.finish(scenario, second)
        status = self.pleo.job(second.id)["status"]
        wrong = [] if status == "completed" else [f"exported again, the job is {status}"]
        return wrong + self.judge(scenario, second, runs, ready_of(runs[0]))

    def renew(self, scenario: Scenario) -> Job:
        """Begin anew: empty books, one job in Pleo."""
        self.books.renew()
        self.pleo.reset()
        job = order(self.pleo, self.books, scenario.expenses())
        self._others = {each.entry for each in job.expenses}
        return job

    def run_once(self, scenario: Scenario, program: Program) -> list[Passed]:
        """Run undisturbed to the end, and give the requests that it took."""
        process = self._start(scenario, program)
        process.begin()
        process.wait(SECONDS)
        return self.wire.passed

    def judge(
        self, scenario: Scenario, job: Job, runs: Sequence[Sequence[Passed]], ready: Sequence[Passed]
    ) -> list[str]:
        """Read Pleo and the books, and say which invariants do not hold."""
        updates = self.pleo.requests(operation="updateExportJobItems")
        held, flaws = dict(self.books.held()), self.books.flaws()
        for entry in self._others - {each.entry for each in job.expenses}:
            held.pop(entry, None)
        return violations(
            Seen(job, self.pleo.job(job.id), updates, held, flaws, runs, ready), but=scenario.but
        )

    def free_slot(self) -> None:
        """Take the company's lock from a run that was killed.

        Its lease would do so within a minute, which `test_lease` waits for once; here there are hundreds.
        """
        with SyncPrefectClient(api=self.prefect) as client, contextlib.suppress(ObjectNotFound):
            client.delete_global_concurrency_limit_by_name(f"pleo-export-{self.pleo.company_id}")

    def _start(self, scenario: Scenario, program: Program) -> Process:
        self.wire.listen_anew()
        return Process(program, self.prefect, self.environment(scenario), self.folder, quick=True)


def ready_of(passed: Sequence[Passed]) -> list[Passed]:
    """Requests to the accounting system before the first one for items."""
    first = first_of_items(passed)
    return [each for each in passed[:first] if each.side is Side.BOOKS]


def kill(_stand: Stand, process: Process) -> None:
    """SIGKILL."""
    process.kill()


def terminate(_stand: Stand, process: Process) -> None:
    """SIGTERM."""
    process.terminate()


def pleo_goes(stand: Stand, _process: Process) -> None:
    """Pleo refuses connections from now on."""
    stand.wire.shut(Side.PLEO)


def books_go(stand: Stand, _process: Process) -> None:
    """The accounting system's process is ended, and its address refuses connections."""
    stand.books.go_away()
    stand.wire.shut(Side.BOOKS)


Choice = Callable[[Sequence[Passed]], list[int]]
"""Numbers of the requests, from 1, at which a run is disturbed."""


def every(step: int = 1) -> Choice:
    """Choose every request, or every so manieth."""
    return lambda recorded: list(range(1, len(recorded) + 1, step * THINNED))


def writes_of_items(recorded: Sequence[Passed]) -> list[int]:
    """Choose what changes anything after the checks: entries, receipts, results, the last event."""
    first = first_of_items(recorded)
    assert first is not None
    return [n for n, each in enumerate(recorded, start=1) if n > first and each.method != "GET"]


def sweep(
    stand: Stand, scenario: Scenario, name: str, strike: Strike, moments: Sequence[Moment], chosen: Choice
) -> Tally:
    """Disturb runs at the chosen ones of the requests that an undisturbed run sends, a case each."""
    started = time.monotonic()
    tally = Tally(name)
    recorded = stand.record(scenario)
    for number in chosen(recorded):
        for moment in moments:
            case = stand.case(scenario, number, moment, strike)
            wrong = stand.judge(scenario, case.job, case.runs, ready_of(recorded))
            wrong += stand.again(scenario, case.job)
            if not case.struck:
                wrong.append(f"the run sent {len(case.runs[0])} requests only")
            where = f"{moment} {number} of {len(recorded)}, {recorded[number - 1]}"
            logger.info("%s: %s: %s run(s) more, %s", name, where, len(case.runs) - 1, wrong or "well")
            tally.cases += 1
            tally.recoveries += len(case.runs) - 1
            tally.violated += [f"{where}: {text}" for text in wrong]
    tally.seconds = time.monotonic() - started
    return tally
