"""Runs the checks of a Fava ledger as the product does, and judges what came out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.accounting.contract import BookingAccounts, Check, CheckOutcome, Verdict
from adapters.accounting.failures import PLEO_TEXT_LIMIT, Failure, FailureKind, FailureReporting
from adapters.accounting.fava.adapter import FavaSettings, FavaSystem
from flows.rules.readiness import Readiness

AMPLE = 20.0
"""Seconds that no healthy check comes near, whatever else the machine does."""

CANARY = "CANARY-5f1d"
"""Stands for a secret: it must never be read in a text."""

User = tuple[str, str]


@asynccontextmanager
async def opened(
    url: str, *, user: User | None = None, deadline: float = AMPLE, **accounts: str
) -> AsyncIterator[FavaSystem]:
    """Open the ledger as a connection with these settings does."""
    given = {"system": "fava", "url": url}
    if user:
        given |= {"username": user[0], "password": user[1]}
    settings = FavaSettings.model_validate(given)
    system = FavaSystem(settings, accounts=BookingAccounts.model_validate(accounts), deadline=deadline)
    try:
        yield system
    finally:
        await system.aclose()


async def checked(system: FavaSystem, deadline: float = AMPLE) -> list[CheckOutcome]:
    """Run all checks, with the product's order and deadlines."""
    return await Readiness(system, deadline, 3 * deadline).run_all()


async def checks_of(
    url: str, *, user: User | None = None, deadline: float = AMPLE, **accounts: str
) -> list[CheckOutcome]:
    """Open the ledger, run all checks, close it."""
    async with opened(url, user=user, deadline=deadline, **accounts) as system:
        return await checked(system, deadline)


def assert_ready(outcomes: Sequence[CheckOutcome]) -> None:
    """Every check passed, and none found anything odd."""
    assert [(outcome.verdict, outcome.failure, outcome.cautions) for outcome in outcomes] == [
        (Verdict.PASSED, None, ())
    ] * len(Check)


def failure_at(outcomes: Sequence[CheckOutcome], check: Check, kind: FailureKind) -> Failure:
    """The check failed for that reason, those before it passed, those after it were not run."""
    at = list(Check).index(check)
    expected = [Verdict.PASSED] * at + [Verdict.FAILED] + [Verdict.NOT_RUN] * (len(Check) - at - 1)
    assert [outcome.verdict for outcome in outcomes] == expected, [outcome.failure for outcome in outcomes]
    failure = outcomes[at].failure
    assert failure is not None
    assert failure.kind is kind, failure
    texts_of(failure)
    return failure


def texts_of(failure: Failure) -> str:
    """Give all that people can read about a failure, after it was found fit to be read."""
    assert failure.cause.endswith(".")
    assert failure.remedy.endswith(".")
    texts = [failure.cause, failure.remedy, failure.evidence]
    for reporting in FailureReporting:
        told = failure.told_to_pleo(reporting)
        assert 0 < len(told.text) <= PLEO_TEXT_LIMIT
        texts += [told.type, told.text]
    said = "\n".join(texts)
    for forbidden in (CANARY, "127.0.0.1", "http://", "/tmp", "Traceback", "{", "}"):
        assert forbidden not in said
    return said
