"""Defects that every run would meet again: the job comes to an end all the same, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.accounting.fava.adapter import FavaSystem
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows import booking, reporting
from flows.commands.run import exit_code
from flows.report import RunReport
from tests.flows.exports import Export, entries, events, links, make_job, statuses
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")

CANARY = "CANARY-8b20"
UPDATE = "updateExportJobItems"


async def raises(*_: Any) -> Any:
    raise RuntimeError(CANARY)


def refusal_of(references: Sequence[str]) -> dict[str, Any]:
    """What Pleo answers to results that it does not take (L91)."""
    errors = [{"accountingEntryId": each, "type": "INVALID", "message": CANARY} for each in references]
    return {"data": [], "errors": errors}


def once_more(pleo: EmbeddedPleo, job_id: str) -> str:
    overrides = {str(n): {"accountingEntryId": each} for n, each in enumerate(entries(pleo, job_id), 1)}
    return make_job(pleo, len(overrides), overrides=overrides)


def last_stage(report: RunReport) -> str:
    assert report.lifecycle is not None
    return str(report.lifecycle.stage)


@pytest.mark.parametrize("method", ["find", "examine"])
async def test_a_defect_before_anything_is_booked_fails_the_job(
    pleo: EmbeddedPleo,
    export: Export,
    fava: FavaServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
) -> None:
    job_id = make_job(pleo, 2)
    with monkeypatch.context() as broken:
        broken.setattr(FavaSystem, method, raises)
        state, report = await export()
    assert (state.type, last_stage(report), exit_code(report)) == ("FAILED", "JOB_FAILED", 3)
    assert "developers" in (state.message or "")
    assert CANARY not in (state.message or "") + caplog.text
    job = pleo.job(job_id)
    assert (job["status"], bool(job["failureReason"])) == ("failed", True)
    assert links(fava) == []
    again = once_more(pleo, job_id)
    assert (await export())[0].name == "Exported"
    assert statuses(pleo, again) == {"successful": 2}


@pytest.mark.slow
async def test_a_defect_that_a_resumed_run_meets_again_fails_the_job(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = make_job(pleo, 2)
    with monkeypatch.context() as broken:
        broken.setattr(reporting, "report_items", raises)
        assert exit_code((await export())[1]) == 4, "the first run leaves it to the next one"
        state, report = await export()
    assert (state.name, last_stage(report), exit_code(report)) == ("ExportFailed", "JOB_FAILED", 3)
    assert "stays in the books" in (state.message or "")
    assert pleo.job(job_id)["status"] == "failed"
    assert events(pleo, job_id) == ["started", "failed"]
    again = once_more(pleo, job_id)
    assert (await export())[0].name == "Exported"
    assert statuses(pleo, again) == {"successful": 2}
    assert links(fava) == entries(pleo, job_id), "each of them once"


async def test_a_defect_in_looking_up_what_is_uncertain_costs_those_items(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = make_job(pleo, 2)
    real, asked = FavaSystem.find, []

    async def find(system: FavaSystem, references: Any) -> Any:
        asked.append(references)
        return await (real if len(asked) == 1 else raises)(system, references)

    with monkeypatch.context() as broken:
        broken.setattr(booking, "LOOKING_UP_AGAIN_SECONDS", (0.0,))
        broken.setattr(FavaSystem, "book", raises)
        broken.setattr(FavaSystem, "find", find)
        state, _ = await export()
    assert (state.name, pleo.job(job_id)["status"]) == ("ExportFailed", "failed")
    assert len(asked) > 1
    again = once_more(pleo, job_id)
    assert (await export())[0].name == "Exported"
    assert statuses(pleo, again) == {"successful": 2}
    assert len(links(fava)) == 2


async def test_a_result_that_pleo_takes_without_its_details_is_told_without_them(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 2)
    refusal = refusal_of(entries(pleo, job_id))
    pleo.inject(kind="answer", operation=UPDATE, times=2, status=200, body=refusal)
    state, _ = await export()
    assert state.name == "Exported", state.message
    assert statuses(pleo, job_id) == {"successful": 2}
    bodies = [request["body"] for request in pleo.requests(operation=UPDATE)]
    assert [set(body[0]) == {"accountingEntryId", "status"} for body in bodies] == [False, False, True]
    assert len(links(fava)) == 2


async def test_a_result_that_pleo_never_takes_fails_the_job_at_last(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = make_job(pleo, 2)
    refusal = refusal_of(entries(pleo, job_id))
    pleo.inject(kind="answer", operation=UPDATE, times=None, status=200, body=refusal)
    state, report = await export()
    assert (state.name, last_stage(report), exit_code(report)) == ("ExportFailed", "JOB_FAILED", 3)
    assert "stays in the books" in (state.message or "")
    assert len(pleo.requests(operation=UPDATE)) == 3
    assert pleo.job(job_id)["status"] == "failed"
    assert CANARY not in (state.message or "") + caplog.text
    pleo.clear_faults()
    again = once_more(pleo, job_id)
    assert (await export())[0].name == "Exported"
    assert statuses(pleo, again) == {"successful": 2}
    assert links(fava) == entries(pleo, job_id), "each of them once"
