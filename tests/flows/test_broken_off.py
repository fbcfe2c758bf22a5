"""Runs that break off after something was booked: they say so, show it, and the next one ends the job."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows import reporting
from flows.commands.run import exit_code
from flows.item_rows import item_rows
from tests.flows.exports import Export, entries, events, links, make_job, statuses
from tests.support.fava_server import FavaServer

pytestmark = pytest.mark.usefixtures("prefect_api")


async def test_a_defect_of_ours_after_booking(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def report(*_: Any) -> None:
        raise RuntimeError("CANARY-19c4")

    job_id = make_job(pleo, 3)
    with monkeypatch.context() as broken:
        broken.setattr(reporting, "report_items", report)
        state, run = await export()
    assert (state.type, state.name, exit_code(run)) == ("FAILED", "ExportFailed", 4)
    assert "No item was touched" not in (state.message or "")
    assert "CANARY" not in (state.message or "")
    assert [row["result"] for row in item_rows(run.lines)] == ["booked"] * 3, "what was booked is shown"
    assert pleo.job(job_id)["status"] == "in_progress"
    assert (await export())[0].name == "Exported"
    assert links(fava) == entries(pleo, job_id), "each of them once"
    assert statuses(pleo, job_id) == {"successful": 3}


async def test_a_job_that_ended_meanwhile_and_cannot_be_read(
    pleo: EmbeddedPleo, export: Export, fava: FavaServer
) -> None:
    job_id = make_job(pleo, 2)
    ended = {"type": "EXPORT_JOB_STATUS_UNPROCESSABLE"}
    pleo.inject(kind="answer", operation="updateExportJobItems", status=422, body=ended)
    pleo.inject(kind="answer", operation="getExportJob", status=401, times=None)
    state, run = await export()
    assert (state.type, exit_code(run)) == ("FAILED", 4)
    assert "No item was touched" not in (state.message or "")
    assert len(links(fava)) == 2
    pleo.clear_faults()
    assert (await export())[0].name == "Exported"
    assert links(fava) == entries(pleo, job_id)
    assert events(pleo, job_id) == ["started", "completed"]
