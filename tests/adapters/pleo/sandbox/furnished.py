"""A sandbox with jobs in every state, and its real ids put into made-up calls so that they find them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from hypothesis import strategies as st
from schemathesis import Case

from adapters.pleo.sandbox import EmbeddedPleo
from tests.adapters.pleo.sandbox.calls import entry_ids

Draw = Callable[[st.SearchStrategy[Any]], Any]
HOOK = {"endpointUrl": "http://127.0.0.1:9/hook", "eventTypes": ["v1.vendor.created"]}


@dataclass(frozen=True)
class Known:
    """Ids that exist, by the names that the contract's calls have for them."""

    jobs: list[str]
    entries: list[str]
    subscriptions: list[str]
    companies: list[str]

    def of(self, name: str) -> list[str]:
        return {
            "jobId": self.jobs,
            "job_id": self.jobs,
            "id": self.subscriptions,
            "companyId": self.companies,
            "company_id": self.companies,
            "accountingEntryId": self.entries,
            "accountingEntryIds": self.entries,
            "accounting_entry_id": self.entries,
        }.get(name, [])


def furnish(pleo: EmbeddedPleo, api: httpx.Client, *, busy: bool) -> Known:
    """Begin anew with ended jobs of all kinds; when busy, with a waiting and a running one as well."""
    pleo.reset()
    ended = [
        pleo.create_job(2, status="completed"),
        pleo.create_job(2, status="failed", item_statuses={"1": "successful"}),
        pleo.create_job(1, age_seconds=4000, allow_second=True),
    ]
    pleo.cancel_job(cancelled := pleo.create_job(1))
    running = []
    if busy:
        states = {"1": "successful", "2": "failed", "3": "in_progress"}
        running = [
            pleo.create_job(3, allow_second=True),
            pleo.create_job(5, status="in_progress", item_statuses=states, allow_second=True),
        ]
    hook = api.post("/v1/subscriptions", json=HOOK).json()["data"]["id"]
    jobs = [*running, *running, *ended, cancelled]
    return Known(
        jobs=jobs,
        entries=[entry for job in jobs for entry in entry_ids(pleo, job)],
        subscriptions=[hook],
        companies=[pleo.company_id],
    )


def put_real_ids(case: Case, known: Known, draw: Draw) -> None:
    """Replace most of a call's made-up ids by real ones; drop most made-up cursors, which fit no list."""
    if isinstance(case.query, dict) and draw(st.integers(0, 3)):
        for cursor in ("before", "after"):
            case.query.pop(cursor, None)
    for part in (case.path_parameters, case.query, case.body):
        _replace(part, known, draw)
    if isinstance(case.body, list):
        for each in case.body:
            _replace(each, known, draw)


def _replace(part: Any, known: Known, draw: Draw) -> None:
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        real = known.of(name)
        if real and isinstance(value, str):
            part[name] = draw(st.sampled_from([*real, value]))
        elif real and isinstance(value, list):
            part[name] = [draw(st.sampled_from([*real, each])) for each in value]
