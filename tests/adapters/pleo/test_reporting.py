"""Item results reach Pleo once each: in batches, after lost answers, beside refused ones (L87-L94)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest

from adapters.faults import Fault
from adapters.pleo import errors
from adapters.pleo.client import PleoClient
from adapters.pleo.models import ItemStatus, ItemUpdate
from adapters.pleo.reporting import Reported, report_items
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.support import steps
from tests.support.faults_table import FAULTS, FaultCase
from tests.support.scripted_server import ScriptedServer

Connected = Callable[..., PleoClient]
UPDATE, LIST = "updateExportJobItems", "listExportJobItems"
DEADLINE = 0.4
NO_ANSWER = {"refused", "unknown host", "time-out on connect"}
"""States of the server; all others can strike one call."""


@pytest.fixture(scope="module")
def shared_pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture
def pleo(shared_pleo: EmbeddedPleo) -> EmbeddedPleo:
    shared_pleo.reset()
    return shared_pleo


def running_job(pleo: EmbeddedPleo, items: int) -> tuple[UUID, list[UUID]]:
    """A job in progress, and its entries."""
    job_id = pleo.create_job(items=items, status="in_progress")
    return UUID(job_id), [UUID(item["accountingEntryId"]) for item in pleo.job(job_id)["items"]]


def booked(entry: UUID) -> ItemUpdate:
    return ItemUpdate(entry, ItemStatus.SUCCESSFUL, f"MOVE/{entry}")


def failed(entry: UUID) -> ItemUpdate:
    return ItemUpdate(
        entry, ItemStatus.FAILED, failure_reason="No.", failure_reason_type="validation_failure"
    )


def sent(pleo: EmbeddedPleo) -> list[list[str]]:
    """The entries of each report that Pleo received, whatever became of its answer."""
    return [
        [each["accountingEntryId"] for each in request["body"]] for request in pleo.requests(operation=UPDATE)
    ]


def counts(pleo: EmbeddedPleo, job: UUID) -> dict[str, int]:
    return {status: n for status, n in pleo.job(str(job))["counts"].items() if n}


def names(entries: list[UUID]) -> list[str]:
    return [str(entry) for entry in entries]


async def test_results_go_in_batches_of_a_hundred(pleo: EmbeddedPleo, connected: Connected) -> None:
    job, entries = running_job(pleo, 250)
    updates = [failed(entry) if n % 50 == 0 else booked(entry) for n, entry in enumerate(entries)]
    async with connected() as client:
        reported = await report_items(client, job, updates)
    assert reported == Reported(accepted=250)
    assert sent(pleo) == [names(entries[:100]), names(entries[100:200]), names(entries[200:])]
    assert counts(pleo, job) == {"successful": 245, "failed": 5}
    held = {item["accountingEntryId"]: item["externalId"] for item in pleo.job(str(job))["items"]}
    assert all(held[str(u.accounting_entry_id)] == u.external_id for u in updates)
    assert pleo.requests(operation=LIST) == [], "nothing was lost, so nothing is listed"


async def test_nothing_to_report_is_no_request(pleo: EmbeddedPleo, connected: Connected) -> None:
    job, _ = running_job(pleo, 1)
    async with connected() as client:
        assert await report_items(client, job, []) == Reported()
    assert pleo.requests() == []


async def test_refused_results_are_named_and_do_not_hold_up_the_others(
    pleo: EmbeddedPleo, connected: Connected
) -> None:
    job, entries = running_job(pleo, 150)
    strangers = [uuid4(), uuid4()]
    updates = [booked(entry) for entry in [strangers[0], *entries[:120], strangers[1], *entries[120:]]]
    async with connected() as client:
        reported = await report_items(client, job, updates)
        assert set(reported.refused) == set(strangers)
        assert {each.type for each in reported.refused.values()} == {"ACCOUNTING_ENTRY_DOES_NOT_EXIST"}
        assert reported.accepted == 150
        assert counts(pleo, job) == {"successful": 150}
        assert len(sent(pleo)) == 2, "what is refused is not sent again"


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_batch_whose_answer_is_lost_is_not_sent_again(
    pleo: EmbeddedPleo, connected: Connected, lost: int
) -> None:
    job, entries = running_job(pleo, 250)
    pleo.inject(kind="close_after", operation=UPDATE, call=lost)
    async with connected() as client:
        reported = await report_items(client, job, [booked(entry) for entry in entries])
    assert reported.accepted == 250
    assert [len(batch) for batch in sent(pleo)] == [100, 100, 50]
    assert len({name for batch in sent(pleo) for name in batch}) == 250, "each of them once"
    assert counts(pleo, job) == {"successful": 250}
    assert pleo.requests(operation=LIST) != []


async def test_only_what_pleo_does_not_hold_is_sent_again(pleo: EmbeddedPleo, connected: Connected) -> None:
    job, entries = running_job(pleo, 5)
    updates = [booked(entry) for entry in entries]
    async with connected() as client:
        await client.update_items(job, updates[:2])
        pleo.clear_requests()
        pleo.inject(kind="close", operation=UPDATE)
        assert (await report_items(client, job, updates)).accepted == 5
    assert sent(pleo) == [names(entries), names(entries[2:])]
    assert counts(pleo, job) == {"successful": 5}


async def test_an_answer_that_breaks_off_is_a_lost_one(pleo: EmbeddedPleo, connected: Connected) -> None:
    job, entries = running_job(pleo, 3)
    pleo.inject(kind="truncate", operation=UPDATE)
    async with connected() as client:
        assert (await report_items(client, job, [booked(entry) for entry in entries])).accepted == 3
    assert sent(pleo) == [names(entries)]


async def test_a_lost_answer_after_which_pleo_cannot_be_asked_is_found_out_by_the_next_run(
    pleo: EmbeddedPleo, connected: Connected
) -> None:
    job, entries = running_job(pleo, 3)
    updates = [booked(entry) for entry in entries]
    pleo.inject(kind="close_after", operation=UPDATE)
    pleo.inject(kind="answer", operation=LIST, status=503, times=None)
    async with connected() as client:
        with pytest.raises(errors.PleoUnavailable):
            await report_items(client, job, updates)
        assert sent(pleo) == [names(entries)], "nothing is sent blindly"
        pleo.clear_faults()
        assert {item.status for item in await client.list_job_items(job)} == {"successful"}
        # Whoever reports it all the same is told so, and changes nothing.
        again = await report_items(client, job, [failed(entry) for entry in entries])
    assert (again.accepted, set(again.refused)) == (0, set(entries))
    assert counts(pleo, job) == {"successful": 3}


async def test_a_throttled_report_is_sent_again_without_a_question(
    pleo: EmbeddedPleo, connected: Connected
) -> None:
    job, entries = running_job(pleo, 2)
    pleo.inject(kind="answer", operation=UPDATE, status=429, headers={"Retry-After": "0"})
    async with connected() as client:
        assert (await report_items(client, job, [booked(entry) for entry in entries])).accepted == 2
    assert sent(pleo) == [names(entries)] * 2
    assert pleo.requests(operation=LIST) == [], "429 says that nothing was done"


async def test_a_job_that_ended_takes_no_more_results(pleo: EmbeddedPleo, connected: Connected) -> None:
    job, entries = running_job(pleo, 150)
    updates = [booked(entry) for entry in entries]
    async with connected() as client:
        await report_items(client, job, updates[:100])
        pleo.cancel_job(str(job))
        pleo.clear_requests()
        with pytest.raises(errors.JobEnded):
            await report_items(client, job, updates)
        assert len(sent(pleo)) == 1, "after the first refusal nothing more is sent"
        again, others = running_job(pleo, 1)
        assert (await report_items(client, again, [booked(others[0])])).accepted == 1


async def test_a_job_that_ends_while_an_answer_is_lost(pleo: EmbeddedPleo, connected: Connected) -> None:
    job, entries = running_job(pleo, 1)
    pleo.inject(kind="close", operation=UPDATE)
    pleo.inject(
        kind="answer", operation=UPDATE, call=2, status=422, body={"type": "EXPORT_JOB_STATUS_UNPROCESSABLE"}
    )
    async with connected() as client:
        with pytest.raises(errors.JobEnded):
            await report_items(client, job, [booked(entries[0])])
        assert (await report_items(client, job, [booked(entries[0])])).accepted == 1


@pytest.mark.parametrize("case", FAULTS, ids=str)
async def test_every_fault_of_the_table_ends_in_time_and_the_next_report_succeeds(
    pleo: EmbeddedPleo,
    between: ScriptedServer,
    connected: Connected,
    case: FaultCase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, entries = running_job(pleo, 2)
    updates = [booked(entry) for entry in entries]
    address = case.begin(between, monkeypatch)
    async with connected(address, api_key=pleo.api_key, call_deadline_seconds=DEADLINE) as client:
        begun = time.monotonic()
        with pytest.raises(errors.PleoError) as caught:
            await report_items(client, job, updates)
        assert time.monotonic() - begun < client.policy.budget + 2 * DEADLINE
        assert str(between.port) not in str(caught.value)
        writes = [each for each in between.requests if each.method == "PUT"]
        reads = [each for each in between.requests if each.method == "GET"]
        if case.fault is Fault.STATUS and case.status != 429 and case.status < 500:
            assert (len(writes), reads) == (1, []), "refused is refused"
        elif case.fault is not Fault.STATUS:
            assert len(writes) <= 1, "without a look at the items nothing is sent again"
        case.end(between, monkeypatch)
        assert await report_items(client, job, updates) == Reported(accepted=2)
    assert counts(pleo, job) == {"successful": 2}
    assert sent(pleo) == [names(entries)], "Pleo got it once"


ANSWERS = [case for case in FAULTS if case.scheme == "http" and str(case) not in NO_ANSWER]


@pytest.mark.parametrize("case", ANSWERS, ids=str)
async def test_a_fault_of_one_call_takes_no_result_twice(
    pleo: EmbeddedPleo, between: ScriptedServer, connected: Connected, case: FaultCase
) -> None:
    """The same faults, gone with the first report: it succeeds, unless Pleo refused it."""
    job, entries = running_job(pleo, 2)
    updates = [booked(entry) for entry in entries]
    case.apply(between)
    step, between._for_ever = between._for_ever, None
    assert isinstance(step, steps.Step)
    between.play(step)
    refused = case.status is not None and 300 <= case.status < 500 and case.status != 429
    async with connected(between.url(), api_key=pleo.api_key, call_deadline_seconds=DEADLINE) as client:
        if refused:
            with pytest.raises(errors.PleoError):
                await report_items(client, job, updates)
        assert (await report_items(client, job, updates)).accepted == 2
    assert counts(pleo, job) == {"successful": 2}
    assert sent(pleo) == [names(entries)], "Pleo got it once"
