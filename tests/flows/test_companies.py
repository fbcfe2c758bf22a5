"""`watch-exports` and `check-connection` over all saved companies: one Pleo, a Fava, faulty systems."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun

from adapters.environment import PREFIX
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.check_connection import check_connection
from flows.watch_exports import watch_exports
from tests.flows.exports import make_job, statuses
from tests.flows.saved import forget_all, runs_named, save, spoil, tables
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

READY = {"system": "faulty"}
HANGING = {"system": "faulty", "behaviour": "hang"}
NO_RECEIPTS = {str(number): {"files": []} for number in range(1, 4)}


@pytest.fixture(autouse=True)
async def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    await forget_all()


async def newest(name: str) -> FlowRun:
    runs = await runs_named(name)
    return max(runs, key=lambda run: run.created.timestamp() if run.created else 0.0)


async def endings(name: str, column: str = "ending") -> dict[str, str]:
    page = (await tables(await newest(name)))["companies"]
    lines = [line[2:-2].split(" | ") for line in page.splitlines() if line.startswith("|")]
    rows = [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]]
    return {row["connection"]: re.sub(r"\\(.)", r"\1", row.get(column, "")) for row in rows}


@pytest.mark.slow
async def test_a_slow_and_a_broken_company_delay_no_other(pleo: EmbeddedPleo, fava: FavaServer) -> None:
    jobs = {}
    for name, accounting in {"acme": {"system": "fava", "url": fava.url}, "slow": HANGING}.items():
        company = await save(name, pleo, accounting, check_deadline_seconds=6, validation_deadline_seconds=6)
        jobs[name] = make_job(pleo, 3, company_id=str(company), overrides=NO_RECEIPTS)
    broken = await save("broken", pleo, READY)
    jobs["broken"] = make_job(pleo, 1, company_id=str(broken))
    await spoil("broken")
    await save("refused", pleo, READY, api_key="no-such-key")
    await save("idle", pleo, READY)

    state = await watch_exports(companies_at_once=2, return_state=True)
    assert (state.type, state.name) == ("FAILED", "SomeFailed")
    assert "broken, refused, slow" in (state.message or "")
    assert await endings("all companies watch") == {
        "acme": "Exported",
        "broken": "ExportFailed",
        "idle": "NothingToExport",
        "refused": "ExportFailed",
        "slow": "ValidationFailed",
    }
    said = (await endings("all companies watch", "message"))["broken"]
    assert "'broken' is not valid" in said and "PLEO_EXPORT_PLEO__API_KEY" in said
    [acme] = await runs_named(f"acme {jobs['acme']}")
    assert "company:acme" in acme.tags
    [slow] = await runs_named(f"slow {jobs['slow']}")
    assert acme.end_time and slow.end_time and acme.end_time < slow.end_time, "it waits for no slow one"
    assert pleo.job(jobs["broken"])["status"] == "pending"

    # The next run, once the cause is mended, serves the one that was left out.
    await save("broken", pleo, {"system": "fava", "url": fava.url}, company_id=broken, without_receipt="book")
    await save("refused", pleo, READY)
    state = await watch_exports(return_state=True)
    assert (state.type, state.name) == ("COMPLETED", "Exported"), state.message
    assert statuses(pleo, jobs["broken"]) == {"successful": 1}


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_fifty_companies_with_one_hanging_and_one_broken(pleo: EmbeddedPleo) -> None:
    jobs, names = {}, [f"company-{number:02}" for number in range(50)]
    for name in names:
        hangs = name == names[0]
        company = await save(
            name,
            pleo,
            HANGING if hangs else READY,
            check_deadline_seconds=120 if hangs else 30,
            validation_deadline_seconds=120,
        )
        jobs[name] = pleo.create_job(items=1, company_id=str(company))
    await spoil(names[1])
    state = await watch_exports(fetch_only=True, return_state=True)
    assert state.message == (
        "50 companies looked at, 49 with a job. Not served well: company-00, company-01. "
        "The table of companies says why."
    )
    assert {pleo.job(jobs[name])["status"] for name in names[2:]} == {"in_progress"}
    [hanging] = await runs_named(f"{names[0]} {jobs[names[0]]}")
    for name in names[2:]:
        [run] = await runs_named(f"{name} {jobs[name]}")
        assert run.state and run.state.name == "ItemsFetched"
        assert run.end_time and hanging.end_time and run.end_time < hanging.end_time


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_next_run_waits_for_no_slow_company(pleo: EmbeddedPleo, fava: FavaServer) -> None:
    slow = await save("slow", pleo, HANGING, check_deadline_seconds=90, validation_deadline_seconds=90)
    acme = await save("acme", pleo, {"system": "fava", "url": fava.url}, without_receipt="book")
    hanging = pleo.create_job(items=1, company_id=str(slow))
    first = asyncio.create_task(watch_exports(return_state=True))
    while pleo.job(hanging)["status"] == "pending":  # noqa: ASYNC110 - a server's state has no event
        await asyncio.sleep(0.1)
    later = make_job(pleo, 1, company_id=str(acme))
    state = await watch_exports(return_state=True)
    assert state.name == "Exported", state.message
    assert not first.done(), "the first run is still at work on the slow company"
    assert pleo.job(later)["status"] == "completed"
    assert pleo.job(hanging)["status"] == "in_progress", "it was left to the run that holds its lock"
    assert await endings("all companies watch") == {"acme": "Exported", "slow": "EndedElsewhere"}
    assert (await first).name == "SomeFailed"
    assert pleo.job(hanging)["status"] == "failed"


@pytest.mark.slow
async def test_an_export_that_takes_too_long_is_gone_on_with(pleo: EmbeddedPleo, fava: FavaServer) -> None:
    company = await save("acme", pleo, {"system": "fava", "url": fava.url}, without_receipt="book")
    job_id = make_job(pleo, 2, company_id=str(company))
    slow = pleo.inject(kind="delay", operation="listExportItems", delay_seconds=2.5, times=1)
    state = await watch_exports(minutes_per_company=1.5 / 60, return_state=True)
    assert state.name == "SomeFailed"
    assert await endings("all companies watch") == {"acme": "TookTooLong"}
    pleo.clear_faults(slow)
    state = await watch_exports(return_state=True)
    assert state.name == "Exported", state.message
    assert pleo.job(job_id)["status"] == "completed"


async def test_which_companies_are_served(
    pleo: EmbeddedPleo, connect: Callable[..., None], healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    await save("other", pleo, READY)
    await watch_exports(return_state=True)
    assert set(await endings("all companies watch")) == {"other", "environment"}

    await save("same", pleo, READY, company_id=pleo.company_id)
    await watch_exports(return_state=True)
    assert set(await endings("all companies watch")) == {"other", "same"}, "its company is saved"

    job_id = pleo.create_job(items=1)
    await save("twice", pleo, READY, company_id=pleo.company_id)
    state = await watch_exports(return_state=True)
    assert state.name == "SomeFailed"
    said = await endings("all companies watch", "message")
    assert "same and twice are for one and the same Pleo company" in said["same"]
    assert said["other"].startswith("Pleo has no export job")
    assert pleo.job(job_id)["status"] == "pending"

    state = await watch_exports("same", fetch_only=True, return_state=True)
    assert state.name == "ItemsFetched", "a connection that is named is served"


@pytest.mark.slow
async def test_a_setting_missing_in_the_environment_stops_no_saved_company(
    pleo: EmbeddedPleo, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = await save("acme", pleo, READY)
    monkeypatch.setenv(f"{PREFIX}COMPANY_ID", str(uuid4()))
    job_id = pleo.create_job(items=1, company_id=str(company))
    state = await watch_exports(fetch_only=True, return_state=True)
    assert state.name == "SomeFailed"
    assert await endings("all companies watch") == {"acme": "ItemsFetched", "environment": "ExportFailed"}
    assert pleo.job(job_id)["status"] == "in_progress"


async def test_all_connections_are_checked(pleo: EmbeddedPleo) -> None:
    await save("acme", pleo, READY)
    await save("slow", pleo, HANGING, check_deadline_seconds=1)
    await save("broken", pleo, READY)
    await spoil("broken")
    state = await check_connection(return_state=True)
    assert (state.type, state.name) == ("FAILED", "ValidationFailed")
    assert state.message == ("1 company is ready, 2 not: broken, slow. The table of companies says why.")
    run = await newest("all companies check")
    found = await tables(run)
    assert set(found) == {"check-report-acme", "check-report-slow", "companies"}
    assert await endings("all companies check", "ready") == {
        "acme": "Ready",
        "broken": "ExportFailed",
        "slow": "ValidationFailed",
    }
    await save("slow", pleo, READY)
    await save("broken", pleo, READY)
    state = await check_connection(return_state=True)
    assert (state.name, state.message) == ("Ready", "3 companies are ready to take entries.")
    assert not pleo.requests(), "Pleo is not asked"
