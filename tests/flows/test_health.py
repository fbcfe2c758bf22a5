"""Pleo is told when the accounting system refuses the credentials, and when that is mended (L16, U51)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.check_connection import check_connection
from flows.export_job import export_job

Connect = Callable[..., None]


@pytest.fixture
def checked(connect: Connect, prefect_api: str, pleo: EmbeddedPleo) -> Callable[..., Any]:
    """Run the checks, or an export of the job, with the given failure of authentication."""

    async def run(failure: str | None, job_id: str | None = None, report: str = "true") -> State[Any]:
        faulty = {
            "ACCOUNTING__SYSTEM": "faulty",
            "ACCOUNTING__CHECK": "auth",
            "ACCOUNTING__BEHAVIOUR": "fail" if failure else "pass",
            "ACCOUNTING__FAILURE": failure or "",
        }
        connect("", REPORT_HEALTH=report, **faulty)
        if job_id:
            return await export_job(job_id=job_id, fetch_only=True, return_state=True)
        return await check_connection(return_state=True)

    return run


def told(pleo: EmbeddedPleo) -> list[Any]:
    """What Pleo was told of the installation, oldest first."""
    return [each["body"] for each in pleo.requests(method="PUT", path="/v1/installations/me")]


BROKEN = {"status": "ERROR", "errorCode": "AUTH_ERROR"}
MENDED = {"status": "ACTIVATED"}


@pytest.mark.parametrize("failure", ["credentials_refused", "access_revoked"])
async def test_it_is_told_once_and_cleared_once(pleo: EmbeddedPleo, checked: Any, failure: str) -> None:
    for _ in range(2):
        state = await checked(failure)
        assert state.name == "ValidationFailed"
        assert told(pleo) == [BROKEN]
    for _ in range(2):
        assert (await checked(None)).name == "Ready"
        assert told(pleo) == [BROKEN, MENDED]


async def test_an_export_tells_it_after_the_jobs_own_end(pleo: EmbeddedPleo, checked: Any) -> None:
    job_id = pleo.create_job(items=1)
    assert (await checked("credentials_refused", job_id)).name == "ValidationFailed"
    assert told(pleo) == [BROKEN]
    written = [each["operation"] for each in pleo.requests() if each["method"] != "GET"]
    assert written == ["createExportJobEvent", "createExportJobEvent", "updateMyInstallation"]
    mended = pleo.create_job(items=1)
    assert (await checked(None, mended)).name == "ItemsFetched"
    assert told(pleo) == [BROKEN, MENDED]


@pytest.mark.parametrize("failure", ["timed_out"])
async def test_what_may_pass_by_itself_is_not_told(pleo: EmbeddedPleo, checked: Any, failure: str) -> None:
    assert (await checked(failure)).name == "ValidationFailed"
    assert told(pleo) == []


async def test_without_the_setting_pleo_is_not_asked(pleo: EmbeddedPleo, checked: Any) -> None:
    assert (await checked("credentials_refused", report="false")).name == "ValidationFailed"
    assert pleo.requests() == []


async def test_a_state_that_is_not_ours_is_left_alone(pleo: EmbeddedPleo, checked: Any) -> None:
    pleo._world.installation.change(0, "INACTIVE", None, None)
    await checked("credentials_refused")
    await checked(None)
    assert told(pleo) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403},
        pytest.param({"kind": "close"}, marks=pytest.mark.slow),
        pytest.param({"kind": "delay", "delaySeconds": 5}, marks=pytest.mark.slow),
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["getMyInstallation", "updateMyInstallation"])
async def test_failing_to_tell_it_changes_nothing_else(
    pleo: EmbeddedPleo, checked: Any, fault: dict[str, Any], operation: str
) -> None:
    pleo.inject({"kind": "answer", **fault}, operation=operation, times=1)
    state = await checked("credentials_refused")
    assert state.name == "ValidationFailed"
    assert "To be mended by" in state.message
    await checked("credentials_refused")
    assert BROKEN in told(pleo)


async def test_credentials_that_pleo_refuses_name_who_mends_them(pleo: EmbeddedPleo, checked: Any) -> None:
    job_id = pleo.create_job(items=1)
    pleo.change_credentials("revoke_api_key")
    state = await checked(None, job_id)
    assert state.name == "ExportFailed"
    assert "administrator in Pleo" in state.message
    assert "Create a new API key" in state.message
