"""The faulty system goes wrong exactly as its settings say, and as often."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.contract import BookingAccounts, Check, CheckOutcome, Verdict
from adapters.accounting.failures import FailureKind
from adapters.accounting.faulty.adapter import FaultySettings, FaultySystem
from adapters.environment import PREFIX, ConfigurationError, load_connection
from flows.rules.readiness import Readiness

DEADLINE = 0.2


def system(**settings: Any) -> FaultySystem:
    values = FaultySettings.model_validate({"system": "faulty", **settings})
    return FaultySystem(values, accounts=BookingAccounts(), deadline=DEADLINE)


async def outcomes(faulty: FaultySystem) -> list[CheckOutcome]:
    return await Readiness(faulty, DEADLINE, 5).run_all()


async def test_it_is_ready_unless_told_otherwise() -> None:
    assert [outcome.verdict for outcome in await outcomes(system())] == [Verdict.PASSED] * 3


@pytest.mark.parametrize("check", Check)
@pytest.mark.parametrize("kind", [kind for kind in FailureKind if not kind.concerns_pleo])
async def test_the_named_check_fails_in_the_named_way_then_passes(check: Check, kind: FailureKind) -> None:
    faulty = system(check=check, behaviour="fail", failure=kind, times=1)
    failed = next(outcome for outcome in await outcomes(faulty) if outcome.verdict is Verdict.FAILED)
    assert failed.check is check
    assert failed.failure is not None
    assert failed.failure.kind is kind
    assert all(outcome.passed for outcome in await outcomes(faulty))


@pytest.mark.parametrize(
    ("behaviour", "kind"), [("hang", FailureKind.TIMED_OUT), ("crash", FailureKind.DEFECT)]
)
async def test_it_hangs_and_crashes(behaviour: str, kind: FailureKind) -> None:
    faulty = system(behaviour=behaviour, times=1)
    first = (await outcomes(faulty))[0]
    assert first.failure is not None
    assert first.failure.kind is kind
    assert first.seconds < DEADLINE + 0.2
    assert all(outcome.passed for outcome in await outcomes(faulty))


async def test_a_warning_is_still_ready() -> None:
    checked = await outcomes(system(check="writability", behaviour="warn"))
    assert [outcome.verdict for outcome in checked] == [Verdict.PASSED, Verdict.PASSED, Verdict.WARNING]


async def test_it_counts_across_runs_where_a_file_is_named(tmp_path: Path) -> None:
    settings = {
        "behaviour": "fail",
        "failure": "read_only",
        "times": 2,
        "state_file": tmp_path / "count",
    }
    verdicts = [(await outcomes(system(**settings)))[0].verdict for _ in range(3)]
    assert verdicts == [Verdict.FAILED, Verdict.FAILED, Verdict.PASSED]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"BEHAVIOUR": "fail"}, "PLEO_EXPORT_ACCOUNTING__FAILURE is not set although"),
        ({"FAILURE": "read_only"}, "PLEO_EXPORT_ACCOUNTING__FAILURE is set although"),
        ({"BEHAVIOUR": "fail", "FAILURE": "pleo_throttled"}, "names a failure of Pleo"),
        ({"BEHAVIOUR": "fail", "FAILURE": "bad_luck"}, "PLEO_EXPORT_ACCOUNTING__FAILURE must be one of:"),
        ({"TIMES": "0"}, "PLEO_EXPORT_ACCOUNTING__TIMES is not valid"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(
    connect: Callable[..., None], settings: dict[str, str], complaint: str
) -> None:
    connect(**{f"ACCOUNTING__{name}": value for name, value in settings.items()})
    with pytest.raises(ConfigurationError) as caught:
        load_connection(env_file=None)
    assert complaint in str(caught.value)
    for name in settings:
        del os.environ[f"{PREFIX}ACCOUNTING__{name}"]
    load_connection(env_file=None)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def apply(**changes: str) -> None:
        settings = {
            "COMPANY_ID": "9b1f3f52-30c4-4d3e-8f0a-6b0f6ad2c901",
            "PLEO__BASE_URL": "http://127.0.0.1:9",
            "PLEO__API_KEY": "key",
            "ACCOUNTING__SYSTEM": "faulty",
            **changes,
        }
        for name, value in settings.items():
            monkeypatch.setenv(PREFIX + name, value)

    return apply
