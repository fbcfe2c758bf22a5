"""Two runs of one company never work side by side; two companies' do (L37)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows import one_at_a_time as lock
from flows.commands.run import collect_run, exit_code

pytestmark = pytest.mark.usefixtures("prefect_api")


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
