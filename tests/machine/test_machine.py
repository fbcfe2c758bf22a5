"""Jobs, faults, kills and retries in any order: whatever happens, nothing is booked or reported twice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.machine.exporting import Exporting


def tried(pleo: EmbeddedPleo, examples: int) -> None:
    """Let the machine run through so many examples."""

    class Here(Exporting):
        pass

    Here.pleo = pleo
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_few_hundred_steps() -> None:
    with EmbeddedPleo() as pleo:
        tried(pleo, 50)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_thousand_steps() -> None:
    with EmbeddedPleo() as pleo:
        tried(pleo, 1500)
