"""Every registered adapter in every scenario that its system can come into, and out of it again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from adapters.accounting.contract import CheckOutcome, Verdict
from adapters.accounting.failures import PLEO_TEXT_LIMIT, FailureReporting
from adapters.accounting.registry import open_system, registered
from flows.rules.readiness import Readiness
from tests.contract.quality import quality_of
from tests.contract.report import PROPERTY
from tests.contract.scenarios import SCENARIOS, Scenario
from tests.contract.stand import Situation, Stand

DEADLINE = 1.0
"""Seconds for one check."""

GRACE = 0.3
"""Seconds beyond the deadline that a busy machine may take to say so."""


def _done() -> list[object]:
    return [
        pytest.param(
            adapter,
            scenario,
            id=f"{adapter}-{scenario}",
            marks=pytest.mark.covers(
                adapter, scenario, "no-trace", "no-secret", "recovery", "within-the-deadline"
            ),
        )
        for adapter in registered()
        for scenario in SCENARIOS
        if scenario in quality_of(adapter).done
    ]


@pytest.mark.parametrize(("adapter", "scenario"), _done())
async def test_a_scenario_and_its_recovery(
    adapter: str,
    scenario: str,
    stands: Callable[[str], Stand],
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand = stands(adapter)
    with ExitStack() as stack:
        situation = stand.bring_about(scenario, stack, monkeypatch)
        before = stand.trace()
        outcomes = await _checked(situation)
        assert stand.trace() == before, "a check leaves no trace"
        _judge(outcomes, SCENARIOS[scenario])
        _refuse_secrets(outcomes, stand.secrets)
        record_property(PROPERTY, (adapter, scenario, sum(outcome.seconds for outcome in outcomes)))
        mended = situation.mend() or situation
        again = await _checked(mended)
        assert all(outcome.passed for outcome in again), again
        assert [outcome.verdict for outcome in again] == [Verdict.PASSED] * 3 or scenario == "healthy"


async def _checked(situation: Situation) -> list[CheckOutcome]:
    system = open_system(situation.settings, accounts=situation.accounts, deadline=DEADLINE)
    try:
        return await Readiness(system, DEADLINE, 3 * DEADLINE).run_all()
    finally:
        await system.aclose()


def _judge(outcomes: list[CheckOutcome], expected: Scenario) -> None:
    verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict is not Verdict.NOT_RUN]
    assert all(outcome.seconds < DEADLINE + GRACE for outcome in outcomes)
    assert verdicts[-1] is expected.verdict, outcomes
    assert set(verdicts[:-1]) <= {Verdict.PASSED}
    if expected.verdict is Verdict.FAILED:
        failure = outcomes[len(verdicts) - 1].failure
        assert failure is not None
        assert failure.kind in expected.kinds, failure
        assert failure.row.transient is expected.transient
        assert failure.row.who
        assert failure.remedy
        assert failure.evidence
    if expected.verdict is Verdict.WARNING:
        assert all(caution.cause and caution.remedy for caution in outcomes[-1].cautions)


def _refuse_secrets(outcomes: list[CheckOutcome], secrets: tuple[str, ...]) -> None:
    said = [repr(outcomes)]
    for outcome in outcomes:
        if outcome.failure:
            told = [outcome.failure.told_to_pleo(reporting) for reporting in FailureReporting]
            assert all(len(reason.text) <= PLEO_TEXT_LIMIT for reason in told)
            said += [outcome.failure.cause, outcome.failure.remedy, outcome.failure.evidence]
            said += [reason.text for reason in told]
        said += [f"{caution.cause} {caution.remedy}" for caution in outcome.cautions]
    assert [secret for secret in secrets if any(secret in text for text in said)] == []
