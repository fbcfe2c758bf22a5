"""What each call sends and reads: company, statuses, item reports, new jobs, the installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from adapters.faults import Fault, HttpFault
from adapters.pleo import errors
from adapters.pleo.client import MAX_UPDATES, PleoClient
from adapters.pleo.errors import pleo_error
from adapters.pleo.items import fetch_items
from adapters.pleo.models import ItemStatus, ItemUpdate, JobEvent, JobStatus
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.support import steps
from tests.support.faults_table import FAULTS, FaultCase
from tests.support.scripted_server import ScriptedServer

Connected = Callable[..., PleoClient]


def booked(entry: UUID) -> ItemUpdate:
    return ItemUpdate(
        entry, ItemStatus.SUCCESSFUL, "MOVE/7", "https://erp.example/7", datetime(2026, 3, 2, tzinfo=UTC)
    )


async def test_the_list_of_jobs_keeps_to_company_and_statuses(
    pleo: EmbeddedPleo, connected: Connected
) -> None:
    ours = pleo.create_job(items=1)
    pleo.create_job(items=1, company_id=str(uuid4()))
    pleo.create_job(items=1, status="completed", allow_second=True)
    async with connected() as client:
        jobs = await client.list_jobs([JobStatus.PENDING, JobStatus.IN_PROGRESS])
    assert [str(job.id) for job in jobs] == [ours]
    query = [tuple(pair) for pair in pleo.requests(operation="listExportJobs")[0]["query"]]
    assert ("company_id", str(pleo.company_id)) in query
    assert [value for name, value in query if name == "statuses"] == ["pending", "in_progress"]


async def test_a_job_of_another_company_in_the_answer_is_not_taken(
    pleo: EmbeddedPleo, connected: Connected
) -> None:
    other = pleo.create_job(items=1, company_id=str(uuid4()))
    body = {"data": [_contract_fields(pleo.job(other))], "pagination": {"hasNextPage": False}}
    pleo.inject(kind="answer", operation="listExportJobs", status=200, body=body)
    async with connected() as client:
        assert await client.list_jobs([JobStatus.PENDING]) == []


def _contract_fields(job: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in job.items() if name not in {"items", "counts", "events"}}


async def test_item_results_are_reported_and_refused_ones_named(
    pleo: EmbeddedPleo, connected: Connected
) -> None:
    job = UUID(pleo.create_job(items=3))
    async with connected() as client:
        entries = [item.accounting_entry_id for item in (await fetch_items(client, job)).to_book]
        await client.post_event(job, JobEvent.STARTED)
        failed = ItemUpdate(
            entries[1],
            ItemStatus.FAILED,
            failure_reason="No account.",
            failure_reason_type="missing_configuration",
        )
        unknown = booked(uuid4())
        result = await client.update_items(job, [booked(entries[0]), failed, unknown])
    assert {item.accounting_entry_id: item.status for item in result.data} == {
        entries[0]: "successful",
        entries[1]: "failed",
    }
    assert [(each.accounting_entry_id, each.type) for each in result.errors] == [
        (unknown.accounting_entry_id, "ACCOUNTING_ENTRY_DOES_NOT_EXIST")
    ]
    held = {item["accountingEntryId"]: item for item in pleo.job(str(job))["items"]}
    assert held[str(entries[0])]["externalId"] == "MOVE/7"
    assert held[str(entries[1])]["failureReason"] == "No account."
    sent = pleo.requests(operation="updateExportJobItems")[0]["body"]
    assert "failureReason" not in sent[0], "what is not set is not sent (U26)"


@pytest.mark.parametrize("number", [0, MAX_UPDATES + 1])
async def test_a_report_of_no_or_too_many_items_is_not_sent(
    pleo: EmbeddedPleo, connected: Connected, number: int
) -> None:
    async with connected() as client:
        with pytest.raises(ValueError, match="1 to 100"):
            await client.update_items(uuid4(), [booked(uuid4()) for _ in range(number)])
    assert pleo.requests() == []


async def test_an_ended_job_takes_no_results(pleo: EmbeddedPleo, connected: Connected) -> None:
    job = UUID(pleo.create_job(items=1, status="in_progress"))
    pleo.cancel_job(str(job))
    async with connected() as client:
        with pytest.raises(HttpFault) as caught:
            await client.update_items(job, [booked(uuid4())])
        assert isinstance(pleo_error(caught.value), errors.JobEnded)
        with pytest.raises(errors.JobEnded):
            await fetch_items(client, job)


async def test_a_new_job_for_the_same_entries(pleo: EmbeddedPleo, connected: Connected) -> None:
    entries = [uuid4(), uuid4()]
    async with connected() as client:
        job = await client.create_job(entries)
        assert (job.status, job.number_of_items) == ("pending", 2)
        with pytest.raises(HttpFault) as caught:
            await client.create_job(entries)
        assert isinstance(pleo_error(caught.value), errors.UnfinishedJobExists)
        pleo.cancel_job(str(job.id))
        again = await client.create_job(entries, vendor_based_bookkeeping=True)
        assert again.vendor_based_bookkeeping
        fetched = await fetch_items(client, again.id)
    assert {item.accounting_entry_id for item in fetched.to_book} == set(entries)


async def test_the_installation_names_the_company(pleo: EmbeddedPleo, connected: Connected) -> None:
    async with connected() as client:
        installation = await client.get_installation()
        assert installation.resource.endswith(str(pleo.company_id))
        pleo.remove_installation()
        with pytest.raises(errors.PleoError):
            await client.get_installation()


NEVER_ARRIVED = {"refused", "unknown host", "untrusted certificate", "no TLS under https"}
"""A time-out on connect counts as uncertain: no more is known at the deadline, and it is the safe side."""


@pytest.mark.parametrize("case", FAULTS, ids=str)
async def test_a_write_is_sent_once_and_says_whether_it_may_have_arrived(
    pleo: EmbeddedPleo,
    between: ScriptedServer,
    connected: Connected,
    case: FaultCase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = UUID(pleo.create_job(items=1, status="in_progress"))
    entry = UUID(pleo.job(str(job))["items"][0]["accountingEntryId"])
    address = case.begin(between, monkeypatch)
    async with connected(address, api_key=pleo.api_key, call_deadline_seconds=0.4) as client:
        with pytest.raises((HttpFault, errors.PleoError)) as caught:
            await client.update_items(job, [booked(entry)])
        fault = caught.value
        assert isinstance(fault, HttpFault)
        assert fault.fault is case.fault
        assert fault.may_have_arrived is (str(case) not in NEVER_ARRIVED)
        assert len(between.requests) <= 1, "nobody repeats a write blindly"
        case.end(between, monkeypatch)
        assert (await client.update_items(job, [booked(entry)])).errors == []


async def test_an_odd_answer_to_an_event_is_not_taken_for_success(
    pleo: EmbeddedPleo, between: ScriptedServer, connected: Connected
) -> None:
    job = UUID(pleo.create_job(items=1))
    between.play(steps.answer(200, b"{}"))
    async with connected(between.url()) as client:
        with pytest.raises(HttpFault) as caught:
            await client.post_event(job, JobEvent.STARTED)
        assert caught.value.fault is Fault.WRONG_SHAPE
        await client.post_event(job, JobEvent.STARTED)
    assert pleo.job(str(job))["status"] == "in_progress"
