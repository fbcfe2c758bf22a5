"""Each check through the table of faults: the right verdict in time, and success once the fault is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import PLEO_TEXT_LIMIT, FailureKind, FailureReporting
from adapters.faults import Fault
from tests.adapters.accounting.tryton.conftest import DEADLINE, Connection
from tests.support import steps
from tests.support.faults_table import FAULTS, FaultCase
from tests.support.scripted_server import ScriptedServer
from tests.support.tryton_server import TrytonServer

QUICK = 1.0

BY_FAULT = {
    Fault.UNKNOWN_HOST: FailureKind.UNKNOWN_HOST,
    Fault.REFUSED: FailureKind.CONNECTION_REFUSED,
    Fault.TLS: FailureKind.TLS_FAILED,
    Fault.TIMEOUT: FailureKind.TIMED_OUT,
    Fault.CONNECTION_LOST: FailureKind.CONNECTION_LOST,
}
BY_STATUS = {
    401: FailureKind.CREDENTIALS_REFUSED,
    403: FailureKind.ACCESS_REVOKED,
    404: FailureKind.WRONG_ADDRESS,
    423: FailureKind.LOCKED,
    429: FailureKind.THROTTLED,
    500: FailureKind.SERVER_ERROR,
    502: FailureKind.SERVER_ERROR,
    503: FailureKind.SERVER_ERROR,
}


def expected(case: FaultCase, check: Check) -> FailureKind:
    if case.fault is not Fault.STATUS:
        return BY_FAULT.get(case.fault, FailureKind.NOT_THE_SYSTEM)
    if check is Check.REACHABILITY and case.status in {401, 403}:
        return FailureKind.NOT_THE_SYSTEM
    return BY_STATUS.get(case.status or 0, FailureKind.NOT_THE_SYSTEM)


@pytest.fixture(scope="module")
def between(tryton: TrytonServer) -> Iterator[ScriptedServer]:
    with ScriptedServer(upstream=tryton.url) as server:
        yield server


@pytest.mark.parametrize("case", FAULTS, ids=str)
@pytest.mark.parametrize(
    "check", [Check.REACHABILITY, pytest.param(Check.AUTH, marks=pytest.mark.slow), Check.WRITABILITY]
)
async def test_a_fault_is_told_in_time_and_passes(
    check: Check,
    case: FaultCase,
    connection: Connection,
    between: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    between.forget()
    behind = connection.but(url=case.begin(between, monkeypatch), deadline=QUICK)
    begun = time.monotonic()
    outcome = await behind.check(check)
    took = time.monotonic() - begun
    failure = outcome.failure
    assert failure is not None
    assert failure.kind is expected(case, check), failure.evidence
    assert not failure.evidence.startswith("no verdict"), "the check was ended from outside"
    assert took < 1.5 * QUICK
    said = f"{failure.facts} {failure.cause} {failure.remedy} {failure.evidence}"
    for reporting in FailureReporting:
        told = failure.told_to_pleo(reporting)
        assert 0 < len(told.text) <= PLEO_TEXT_LIMIT
        said += told.text
    assert connection.settings["application_key"] not in said
    assert str(between.port) not in said

    case.end(between, monkeypatch)
    assert (await behind.but(deadline=DEADLINE).check(check)).passed


READS = 10
"""Requests of a check of writability that passes, each of which can fall silent or break."""


@pytest.mark.parametrize("number", range(READS))
async def test_writability_meets_a_fault_at_any_of_its_requests(
    number: int, connection: Connection, between: ScriptedServer
) -> None:
    between.forget()
    behind = connection.but(url=between.url())
    assert (await behind.check(Check.WRITABILITY)).passed
    assert len(between.requests) == READS
    assert all(request.authorized for request in between.requests)

    for step, kind in (
        (steps.html(), FailureKind.NOT_THE_SYSTEM),
        (steps.answer(503), FailureKind.SERVER_ERROR),
        (steps.answer(400, b'{"status": 400, "message": "no"}'), FailureKind.CREATION_NOT_ALLOWED),
    ):
        between.forget()
        between.let_pass(number)
        between.play(step)
        outcome = await behind.check(Check.WRITABILITY)
        assert outcome.failure is not None
        assert outcome.failure.kind is kind
    assert (await behind.check(Check.WRITABILITY)).passed
