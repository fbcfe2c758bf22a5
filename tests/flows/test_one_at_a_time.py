"""Two runs of one company never work side by side; two companies' do (L37)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows import lease
from flows import one_at_a_time as lock
from flows.commands.run import collect_run, exit_code
from tests.flows.deploying import prefect

pytestmark = pytest.mark.usefixtures("prefect_api")


async def revoke_lease() -> None:
    """Take the lease away, as the server does with one that has ended; its renewing thread is named by it."""
    [renewing] = [each.name for each in threading.enumerate() if each.name.startswith("lease-")]
    async with get_client() as client:
        await client.release_concurrency_slots_with_lease(UUID(renewing.removeprefix("lease-")))


async def test_a_company_is_held_by_one_run_and_free_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_WAIT_SECONDS", 3)
    company = uuid4()
    held, same, another = (lock.one_at_a_time(each) for each in (company, company, uuid4()))
    async with held as first, same as second, another as other:
        assert (first, second, other) == (True, False, True)
    async with lock.one_at_a_time(company) as again:
        assert again


async def test_the_lock_is_free_after_a_failure() -> None:
    company = uuid4()
    with pytest.raises(RuntimeError):
        async with lock.one_at_a_time(company):
            raise RuntimeError
    async with lock.one_at_a_time(company) as again:
        assert again


async def test_a_lease_that_is_gone_cancels_the_block_and_another_run_can_have_the_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.2)
    company, cleaned_up = uuid4(), asyncio.Event()

    async def work() -> None:
        async with lock.one_at_a_time(company):
            try:
                await asyncio.sleep(1)
                await revoke_lease()
                await asyncio.sleep(30)
            finally:
                await asyncio.sleep(0.1)
                cleaned_up.set()

    begun = time.monotonic()
    with pytest.raises(lock.LockLost):
        await work()
    assert cleaned_up.is_set(), "what was open may still be closed"
    assert 1 < time.monotonic() - begun < 10, "it was renewed, until it could not be"
    async with lock.one_at_a_time(company) as again:
        assert again


async def test_a_slot_that_nobody_holds_is_freed_as_the_documents_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lock, "_WAIT_SECONDS", 0)
    company = uuid4()
    limit = f"pleo-export-{company}"
    async with lock.one_at_a_time(company):
        pass
    async with get_client() as client:
        await client.increment_concurrency_slots([limit], 1, "concurrency")  # a slot without a lease
    async with lock.one_at_a_time(company) as held:
        assert not held
    await asyncio.to_thread(prefect, "gcl", "update", limit, "--active-slots", "0")
    async with lock.one_at_a_time(company) as held:
        assert held


async def test_whoever_is_cancelled_from_outside_is_cancelled_and_lets_go() -> None:
    company, inside = uuid4(), asyncio.Event()

    async def work() -> None:
        async with lock.one_at_a_time(company):
            inside.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with lock.one_at_a_time(company) as again:
        assert again


async def test_a_second_run_sends_nothing_while_the_first_one_works(
    pleo: EmbeddedPleo,
    connect: Callable[..., None],
    healthy_ledger: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lock, "_WAIT_SECONDS", 1)
    connect(healthy_ledger)
    job_id = pleo.create_job(items=2)
    async with lock.one_at_a_time(UUID(str(pleo.company_id))):
        report = await collect_run(fetch_only=True)
    assert report.state_name == "EndedElsewhere"
    assert exit_code(report) == 6
    assert pleo.requests() == []
    assert (await collect_run(fetch_only=True)).state_name == "ItemsFetched"
    assert pleo.job(job_id)["status"] == "in_progress"


async def test_two_simultaneous_starts_start_the_job_once(
    pleo: EmbeddedPleo, connect: Callable[..., None], healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=2)
    reports = await asyncio.gather(*(collect_run(fetch_only=True) for _ in range(3)))
    assert {report.state_name for report in reports} <= {"ItemsFetched", "EndedElsewhere"}
    assert [event["event"] for event in pleo.job(job_id)["events"]] == ["started"]
