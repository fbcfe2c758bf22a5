"""What must hold when everything is over, whatever was killed on the way; seen from outside the product."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.recovery.books import Held
from tests.recovery.jobs import Job
from tests.recovery.wire import Passed, Side

FINAL_JOB = {"failed", "completed", "completed_with_errors"}
FINAL_ITEM = {"successful", "failed"}


@dataclass(frozen=True)
class Seen:
    """All that is known of one case.

    Attributes:
        job: what was ordered.
        state: the job in Pleo, with its items and the events received.
        updates: requests to Pleo that report items.
        held: the books, by Pleo's id.
        flaws: what else is wrong with the books.
        runs: requests of each run, in their order.
        ready: requests to the books before the first one for an item, as an undisturbed run sends them.

    """

    job: Job
    state: Mapping[str, Any]
    updates: Sequence[Mapping[str, Any]]
    held: Mapping[str, Held]
    flaws: Sequence[str]
    runs: Sequence[Sequence[Passed]]
    ready: Sequence[Passed]


Invariant = Callable[[Seen], list[str]]


def job_ends(seen: Seen) -> list[str]:
    """Every job that was started reaches a final state, and no item is left without a result."""
    status = seen.state["status"]
    if status not in FINAL_JOB:
        return [f"the job is {status}"]
    if status == "failed":
        return []
    return [
        f"item {each['accountingEntryId']} is {each['status']}"
        for each in seen.state["items"]
        if each["status"] not in FINAL_ITEM
    ]


def booked_once(seen: Seen) -> list[str]:
    """A successful item is in the books once; a failed one at most once; nothing else is there."""
    wrong = []
    for item in seen.state["items"]:
        entry = item["accountingEntryId"]
        times = seen.held[entry].entries if entry in seen.held else 0
        if times > 1 or (item["status"] == "successful" and times == 0):
            wrong.append(f"{item['status']} item {entry} is in the books {times} times")
    ours = {each.entry for each in seen.job.expenses}
    return wrong + [f"{text!r} is in the books" for text in seen.held if text not in ours]


def events_once(seen: Seen) -> list[str]:
    """Each event is sent once, is accepted, and the last one is the only one that ends the job."""
    sent = [(event["event"], event["answer"]) for event in seen.state["events"]]
    ending = [name for name, _ in sent if name != "started"]
    ok = Counter(name for name, _ in sent)["started"] == 1 and len(ending) == 1
    return [] if ok and all(answer == 202 for _, answer in sent) else [f"events {sent}"]


def items_after_checks(seen: Seen) -> list[str]:
    """No run asks for an item or reports one before it sent all that the checks take."""
    wrong = []
    for number, run in enumerate(seen.runs, start=1):
        first = first_of_items(run)
        if first is None:
            continue
        if [each for each in run[:first] if each.side is Side.BOOKS] != list(seen.ready):
            wrong.append(f"run {number} sent {run[first]} as its request {first + 1}")
    return wrong


def reported_once(seen: Seen) -> list[str]:
    """Each result is told once, under one id, and Pleo holds that id."""
    ids: dict[str, list[str | None]] = defaultdict(list)
    for update in seen.updates:
        for each in update["body"]:
            ids[each["accountingEntryId"]].append(each.get("externalId"))
    wrong = []
    for item in seen.state["items"]:
        told = ids[item["accountingEntryId"]]
        if item["status"] in FINAL_ITEM and told != [item["externalId"]]:
            wrong.append(f"item {item['accountingEntryId']} was told {told}, Pleo has {item['externalId']}")
    return wrong


def receipts_once(seen: Seen) -> list[str]:
    """Every receipt of a successful item is attached to its entry, once."""
    states = {item["accountingEntryId"]: item["status"] for item in seen.state["items"]}
    wrong = []
    for each in seen.job.bookable:
        files = sorted(seen.held[each.entry].files) if each.entry in seen.held else []
        if states[each.entry] == "successful" and files != each.files:
            wrong.append(f"item {each.entry} has the files {files}, not {each.files}")
        elif any(times > 1 for times in Counter(files).values()):
            wrong.append(f"item {each.entry} has the files {files}")
    return wrong


def sums_agree(seen: Seen) -> list[str]:
    """What the books have of each item is what Pleo sent, to the cent."""
    return [
        f"item {entry} has the sums {dict(held.sums)}, not {seen.job.sums[entry]}"
        for entry, held in seen.held.items()
        if entry in seen.job.sums and held.entries == 1 and dict(held.sums) != seen.job.sums[entry]
    ]


def books_are_clean(seen: Seen) -> list[str]:
    """The books have no error, and no file that belongs to no entry."""
    return list(seen.flaws)


INVARIANTS: tuple[Invariant, ...] = (
    job_ends,
    booked_once,
    events_once,
    items_after_checks,
    reported_once,
    receipts_once,
    sums_agree,
    books_are_clean,
)


def violations(seen: Seen, but: Sequence[Invariant] = ()) -> list[str]:
    """Ask all invariants; `but` are those that a case cannot have."""
    return [f"{each.__name__}: {text}" for each in INVARIANTS if each not in but for text in each(seen)]


def first_of_items(run: Sequence[Passed]) -> int | None:
    """Position of the first request for items, if there is one."""
    return next((n for n, each in enumerate(run) if each.side is Side.PLEO and _concerns_items(each)), None)


def _concerns_items(passed: Passed) -> bool:
    return passed.path.endswith(("/items", "/export-items")) or "/files/" in passed.path
