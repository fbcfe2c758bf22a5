"""The machine: jobs, faults of both sides, kills, clock and retries in any order, and what always holds."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.accounting.contract import AccountingSystem
from adapters.connection import ExportConnection
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.retry import RetryPolicy
from flows.report import RunReport
from flows.session import Session
from tests.machine.driving import drive
from tests.machine.troubles import Killed, MortalClient, Troubles, Wrong
from tests.support.filed_books import FiledBooks

QUICK = RetryPolicy(attempts=3, budget=1.0, first_wait=0.002, longest_wait=0.01)
ITEM_OPERATIONS = ("listExportJobItems", "listExportItems", "updateExportJobItems")
OPERATIONS = (*ITEM_OPERATIONS, "listExportJobs", "getExportJob", "createExportJobEvent")
TERMINAL = {"failed", "completed", "completed_with_errors"}
UNFINISHED = {"pending", "in_progress"}

wrongs = st.sampled_from(list(Wrong))
moments = st.sampled_from(["reachability", "auth", "writability", "find", "examine", "book", "booked"])
answers = st.sampled_from([400, 401, 403, 404, 422, 429, 500, 503])


class Exporting(RuleBasedStateMachine):
    """One company, its Pleo and its books, through an example."""

    pleo: EmbeddedPleo
    """Given by the test, and reset for each example."""

    def __init__(self) -> None:
        super().__init__()
        self.pleo.reset()
        self.folder = Path(tempfile.mkdtemp(prefix="pleo-export-machine-"))
        self.troubles = Troubles()
        self.loop = asyncio.new_event_loop()
        self.final: dict[tuple[str, str], tuple[str, str | None]] = {}
        self.death: tuple[int, bool] | None = None
        self.connection = ExportConnection.model_validate(
            {
                "company_id": self.pleo.company_id,
                "pleo": {"base_url": self.pleo.base_url, "api_key": self.pleo.api_key},
                "accounting": {"system": "faulty"},
                "accounts": {"out_of_pocket": "Liabilities:Employees", "contra": "Assets:Bank"},
            }
        )

    # What happens.

    @initialize(items=st.integers(1, 5))
    def a_user_begins(self, items: int) -> None:
        self.pleo.create_job(items=items)

    @precondition(lambda self: len(self.pleo.jobs()) < 4)
    @rule(items=st.integers(1, 5), flawed=st.booleans())
    def a_user_exports(self, items: int, flawed: bool) -> None:
        """Of some jobs one item has no account, and fails alone."""
        self.pleo.create_job(items=items, allow_second=True, without_account=[1] if flawed else [])

    @precondition(lambda self: any(job["status"] in TERMINAL for job in self.pleo.jobs()))
    @precondition(lambda self: len(self.pleo.jobs()) < 4)
    @rule(data=st.data())
    def a_user_exports_the_same_again(self, data: st.DataObject) -> None:
        ended = [job["id"] for job in self.pleo.jobs() if job["status"] in TERMINAL]
        old = self.pleo.job(data.draw(st.sampled_from(ended), "job"))
        ids = [item["accountingEntryId"] for item in old["items"]]
        same = {str(number): {"accountingEntryId": each} for number, each in enumerate(ids, 1)}
        self.pleo.create_job(items=len(ids), allow_second=True, overrides=same)

    @precondition(lambda self: self.unfinished())
    @rule(
        kind=st.sampled_from(["close", "close_after", "truncate", "stuck_cursor"]),
        operation=st.sampled_from(OPERATIONS),
        call=st.integers(1, 2),
        times=st.sampled_from([1, 2, 5]),
    )
    def pleo_fails(self, kind: str, operation: str, call: int, times: int) -> None:
        self.pleo.inject(kind=kind, operation=operation, call=call, times=times)

    @precondition(lambda self: self.unfinished())
    @rule(status=answers, operation=st.sampled_from(OPERATIONS), times=st.sampled_from([1, 2, 5]))
    def pleo_refuses(self, status: int, operation: str, times: int) -> None:
        self.pleo.inject(kind="answer", operation=operation, status=status, times=times)

    @precondition(lambda self: self.unfinished())
    @rule(moment=moments, number=st.integers(1, 3), wrong=wrongs)
    def the_books_fail(self, moment: str, number: int, wrong: Wrong) -> None:
        self.troubles.order(moment, number if moment in {"book", "booked"} else 1, wrong)

    @precondition(lambda self: self.unfinished())
    @rule(call=st.integers(1, 9), after=st.booleans())
    def the_process_will_be_killed(self, call: int, after: bool) -> None:
        """Before the n-th request to Pleo of the next run goes out, or as its answer comes."""
        self.death = (call, after)

    @rule(minutes=st.sampled_from([10, 61]))
    def time_passes(self, minutes: int) -> None:
        self.pleo.advance(minutes * 60)

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data())
    def a_user_cancels(self, data: st.DataObject) -> None:
        self.pleo.cancel_job(data.draw(st.sampled_from(self.unfinished()), "job"))

    @precondition(lambda self: self.unfinished())
    @rule()
    def all_is_mended(self) -> None:
        self.pleo.clear_faults()
        self.troubles.clear()
        self.death = None

    @precondition(lambda self: self.unfinished())
    @rule(times=st.integers(1, 2))
    def a_run_or_two(self, times: int) -> None:
        for _ in range(times):
            self._run()

    def _run(self) -> RunReport:
        """Run once, and hold against it that no item was asked for before the checks had passed."""
        report = RunReport()
        self.pleo.clear_requests()
        self.troubles.begin_run()
        death, self.death = self.death, None
        with contextlib.suppress(Killed):
            self.loop.run_until_complete(self._drive(report, death))
        asked = [each["operation"] for each in self.pleo.requests()]
        if len(report.checks) < 3 or not all(check.passed for check in report.checks):
            assert not set(asked) & set(ITEM_OPERATIONS), asked
        return report

    async def _drive(self, report: RunReport, death: tuple[int, bool] | None) -> None:
        client = MortalClient(self.connection.pleo, self.connection.company_id, policy=QUICK)
        client.dies_at, client.after = death or (None, False)
        async with client:
            system = self._system()
            try:
                await drive(Session(self.connection, client, system, report))
            finally:
                await system.aclose()

    # What always holds.

    @invariant()
    def no_entry_is_booked_twice(self) -> None:
        times = Counter(reference for reference, _ in self._entries())
        assert [each for each in times if times[each] > 1] == []

    @invariant()
    def each_event_is_accepted_once_and_one_ends_the_job(self) -> None:
        for job in self._jobs():
            accepted = [event["event"] for event in job["events"] if event["answer"] == 202]
            assert accepted.count("started") <= 1, accepted
            assert sum(event in TERMINAL for event in accepted) <= 1, accepted
            assert accepted[:1] in ([], ["started"]), accepted

    @invariant()
    def what_pleo_was_told_of_an_item_stays_and_is_true(self) -> None:
        booked = {str(reference): name for reference, name in self._entries()}
        for job in self._jobs():
            for item in job["items"]:
                key, told = (job["id"], item["accountingEntryId"]), (item["status"], item["externalId"])
                if key in self.final:
                    assert told == self.final[key], "a final state changed"
                elif item["status"] in {"successful", "failed"}:
                    self.final[key] = told
                if item["status"] == "successful":
                    assert booked.get(key[1]) == told[1], "said to be booked, and is not in the books"
                if item["status"] == "failed":
                    assert key[1] not in booked or self._booked_later(key), "booked, and said to be failed"

    @invariant()
    def the_end_of_a_job_fits_its_items(self) -> None:
        for job in self._jobs():
            states = {item["status"] for item in job["items"]}
            if job["status"] == "completed":
                assert states == {"successful"}
            if job["status"] == "completed_with_errors":
                assert states == {"successful", "failed"}

    def teardown(self) -> None:
        """Every job that is unfinished ends by one more healthy run."""
        try:
            self.all_is_mended()
            for _ in self.unfinished():
                before = set(self.unfinished())
                self._run()
                assert len(before - set(self.unfinished())) == 1, "a healthy run ends one job"
            assert self.unfinished() == []
            self.no_entry_is_booked_twice()
            self.each_event_is_accepted_once_and_one_ends_the_job()
            self.what_pleo_was_told_of_an_item_stays_and_is_true()
            self.the_end_of_a_job_fits_its_items()
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    def _system(self) -> AccountingSystem:
        return FiledBooks(self.folder / "books.jsonl", self.troubles)

    def _entries(self) -> list[tuple[UUID, str]]:
        return FiledBooks(self.folder / "books.jsonl").entries()

    def unfinished(self) -> list[str]:
        return [job["id"] for job in self.pleo.jobs() if job["status"] in UNFINISHED]

    def _jobs(self) -> list[dict[str, Any]]:
        return [self.pleo.job(job["id"]) for job in self.pleo.jobs()]

    def _booked_later(self, key: tuple[str, str]) -> bool:
        """Whether a later job booked the entry."""
        later = (other for other in self.final if other[1] == key[1] and other != key)
        return any(self.final[other][0] == "successful" for other in later)
