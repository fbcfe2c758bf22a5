"""Every call to Pleo through the table of faults: a typed error in time, success once it is gone."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID

import pytest

from adapters.accounting.failures import PLEO_TEXT_LIMIT, FailureReporting
from adapters.faults import Fault
from adapters.pleo import errors
from adapters.pleo.client import PleoClient
from adapters.pleo.events import send_event
from adapters.pleo.items import fetch_items
from adapters.pleo.models import JobEvent, JobStatus
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.settings import PleoSettings
from adapters.retry import RetryPolicy
from flows.rules.pleo_failures import failure_of
from tests.support.faults_table import FAULTS, FaultCase
from tests.support.scripted_server import ScriptedServer

DEADLINE = 0.4
QUICK = RetryPolicy(attempts=2, budget=2, first_wait=0.01, longest_wait=0.05)
"""Two attempts; `Retry-After: 7` is cut to the longest wait."""

CALLS: dict[str, Callable[[PleoClient, UUID], Awaitable[object]]] = {
    "list jobs": lambda client, _: client.list_jobs([JobStatus.PENDING]),
    "read job": lambda client, job: client.get_job(job),
    "fetch items": fetch_items,
    "send event": lambda client, job: send_event(client, job, JobEvent.STARTED),
}

BY_FAULT = {
    Fault.NOT_HTTP: errors.UnusableAnswer,
    Fault.REDIRECT: errors.UnusableAnswer,
    Fault.NOT_JSON: errors.UnusableAnswer,
    Fault.WRONG_SHAPE: errors.UnusableAnswer,
    Fault.TOO_LARGE: errors.UnusableAnswer,
}
BY_STATUS = {
    400: errors.RequestRefused,
    401: errors.PleoUnauthorized,
    403: errors.PleoForbidden,
    404: errors.JobNotFound,
    429: errors.PleoThrottled,
}


def expected(case: FaultCase) -> type[errors.PleoError]:
    if case.fault is Fault.STATUS:
        return BY_STATUS.get(case.status or 0, errors.PleoUnavailable)
    return BY_FAULT.get(case.fault, errors.PleoUnavailable)


@pytest.fixture(scope="module")
def pleo() -> Iterator[EmbeddedPleo]:
    with EmbeddedPleo() as server:
        yield server


@pytest.fixture(scope="module")
def between(pleo: EmbeddedPleo) -> Iterator[ScriptedServer]:
    with ScriptedServer(upstream=pleo.base_url) as server:
        yield server


@pytest.mark.parametrize("case", FAULTS, ids=str)
@pytest.mark.parametrize("call", CALLS)
async def test_a_fault_is_told_in_time_and_passes(
    call: str,
    case: FaultCase,
    pleo: EmbeddedPleo,
    between: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    between.forget()
    pleo.reset()
    job = UUID(pleo.create_job(items=3))
    settings = PleoSettings(
        base_url=case.begin(between, monkeypatch),
        api_key=pleo.api_key,
        call_deadline_seconds=DEADLINE,
    )
    async with PleoClient(settings, UUID(str(pleo.company_id)), policy=QUICK) as client:
        begun = time.monotonic()
        with pytest.raises(errors.PleoError) as caught:
            await CALLS[call](client, job)
        took = time.monotonic() - begun
        assert type(caught.value) is expected(case)
        # Uncertain events are read again, with as many attempts, before they are sent again.
        assert took < 3 * QUICK.attempts * DEADLINE
        failure = failure_of(caught.value)
        assert failure.cause
        assert failure.remedy
        for reporting in FailureReporting:
            assert len(failure.told_to_pleo(reporting).text) <= PLEO_TEXT_LIMIT
        said = f"{caught.value} {failure.cause} {failure.remedy} {failure.evidence}"
        assert pleo.api_key not in said
        assert str(between.port) not in said

        case.end(between, monkeypatch)
        assert await CALLS[call](client, job) is not None
    if call == "send event":
        assert pleo.job(str(job))["status"] == "in_progress"
