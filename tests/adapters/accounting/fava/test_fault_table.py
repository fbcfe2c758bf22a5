"""Every check of a Fava ledger through the table of faults: the right kind in time, success afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.accounting.contract import Check, CheckOutcome, Verdict
from adapters.accounting.failures import FailureKind
from adapters.accounting.fava.adapter import FavaSystem
from adapters.faults import Fault
from flows.rules.readiness import Readiness
from tests.adapters.accounting.fava.checking import AMPLE, CANARY, User, opened, texts_of
from tests.support.faults_table import FAULTS, FaultCase
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

CLERK: User = ("clerk", CANARY)

# Written out by hand from the design's table: the kind, and whether it passes by itself.
EXPECTED = {
    "refused": (FailureKind.CONNECTION_REFUSED, True),
    "unknown host": (FailureKind.UNKNOWN_HOST, True),
    "untrusted certificate": (FailureKind.TLS_FAILED, True),
    "no TLS under https": (FailureKind.TLS_FAILED, True),
    "time-out on connect": (FailureKind.TIMED_OUT, True),
    "time-out on read": (FailureKind.TIMED_OUT, True),
    "slow drip": (FailureKind.TIMED_OUT, True),
    "reset in the body": (FailureKind.CONNECTION_LOST, True),
    "body too short": (FailureKind.CONNECTION_LOST, True),
    "hangs up": (FailureKind.CONNECTION_LOST, True),
    "not HTTP": (FailureKind.NOT_THE_SYSTEM, False),
    "redirect to a login page": (FailureKind.NOT_THE_SYSTEM, False),
    "HTML": (FailureKind.NOT_THE_SYSTEM, False),
    "malformed JSON": (FailureKind.NOT_THE_SYSTEM, False),
    "JSON of another form": (FailureKind.NOT_THE_SYSTEM, False),
    "gzip bomb": (FailureKind.NOT_THE_SYSTEM, False),
    "400": (FailureKind.NOT_THE_SYSTEM, False),
    "401": (FailureKind.CREDENTIALS_REFUSED, False),
    "403": (FailureKind.ACCESS_REVOKED, False),
    "404": (FailureKind.WRONG_ADDRESS, False),
    "423": (FailureKind.LOCKED, False),
    "429": (FailureKind.THROTTLED, True),
    "429 with seconds": (FailureKind.THROTTLED, True),
    "429 with a date": (FailureKind.THROTTLED, True),
    "500": (FailureKind.SERVER_ERROR, True),
    "502": (FailureKind.SERVER_ERROR, True),
    "503": (FailureKind.SERVER_ERROR, True),
}

LAST_WRITE = {**EXPECTED, "403": (FailureKind.CREATION_NOT_ALLOWED, False)}
"""To the request that writes, 403 says more: reading was allowed a moment before."""

ASKED_FOR_CREDENTIALS = {"401", "403"}
"""Somebody answers, and whether it lets us in is the next check's question."""

ON_ANSWER = [
    case
    for case in FAULTS
    if case.scheme == "http" and case.name not in {"refused", "unknown host", "time-out on connect"}
]
"""Faults of one answer, which can come after healthy ones."""

REQUESTS = {
    # check -> path of the address, number of requests that it takes. Without a slug: the front page,
    # `changed`, and `ledger_data` to see that the ledger is the only one.
    Check.REACHABILITY: ("", 3),
    Check.AUTH: ("", 3),
    Check.WRITABILITY: (f"/{SLUG}", 6),
}


@pytest.fixture(autouse=True)
def books_stay_as_they_are(fava: FavaServer) -> Iterator[None]:
    yield
    assert fava.ledger.read_text() == ledger_text()


def test_the_table_has_each_fault() -> None:
    assert {str(case) for case in FAULTS} == set(EXPECTED)


def deadline_for(case: FaultCase) -> float:
    """Short where it must run out; else so long that an answer was found wrong, not waited for."""
    return 0.4 if case.fault is Fault.TIMEOUT else AMPLE


def judge(outcome: CheckOutcome, case: FaultCase, expected: tuple[FailureKind, bool]) -> str:
    """Find the verdict right and in time; give all that is said about it."""
    assert outcome.verdict is Verdict.FAILED
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.row.transient) == expected
    assert outcome.failure.evidence
    assert outcome.seconds < (0.8 if case.fault is Fault.TIMEOUT else AMPLE / 4)
    return texts_of(outcome.failure)


async def run(check: Check, system: FavaSystem, deadline: float) -> CheckOutcome:
    return await Readiness(system, deadline, 2 * deadline).run(check)


@pytest.mark.parametrize("case", FAULTS, ids=str)
@pytest.mark.parametrize("check", Check)
async def test_a_fault_of_the_first_request(
    check: Check, case: FaultCase, between: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = case.begin(between, monkeypatch, f"/{SLUG}")
    deadline = deadline_for(case)
    async with opened(address, user=CLERK, deadline=deadline) as system:
        outcome = await run(check, system, deadline)
        if check is Check.REACHABILITY and case.name in ASKED_FOR_CREDENTIALS:
            assert outcome.verdict is Verdict.PASSED
        else:
            assert str(between.port) not in judge(outcome, case, EXPECTED[case.name])

        case.end(between, monkeypatch)
        assert (await run(check, system, AMPLE)).verdict is Verdict.PASSED


@pytest.mark.parametrize("case", ON_ANSWER, ids=str)
@pytest.mark.parametrize("check", Check)
async def test_a_fault_of_the_last_request(
    check: Check, case: FaultCase, between: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, requests = REQUESTS[check]
    between.let_pass(requests - 1)
    address = case.begin(between, monkeypatch, path)
    deadline = deadline_for(case)
    async with opened(address, user=CLERK, deadline=deadline) as system:
        outcome = await run(check, system, deadline)
        assert [request.step for request in between.requests[: requests - 1]] == ["upstream"] * (requests - 1)
        assert len(between.requests) == requests
        assert all(request.authorized for request in between.requests)
        if check is Check.REACHABILITY and case.name in ASKED_FOR_CREDENTIALS:
            assert outcome.verdict is Verdict.PASSED
        else:
            expected = (LAST_WRITE if check is Check.WRITABILITY else EXPECTED)[case.name]
            assert str(between.port) not in judge(outcome, case, expected)

        case.end(between, monkeypatch)
        assert (await run(check, system, AMPLE)).verdict is Verdict.PASSED
