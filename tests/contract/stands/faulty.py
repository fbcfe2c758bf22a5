"""Stand of the faulty system: every scenario is a matter of its settings."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind
from adapters.accounting.faulty.adapter import Behaviour, FaultySettings
from tests.contract import stand
from tests.contract.scenarios import SCENARIOS

_CHECK = {"wrong-credentials": Check.AUTH, "expired-credentials": Check.AUTH}
_SEEN_AT_ONCE = {
    "down",
    "hangs",
    "slow-drip",
    "tls-error",
    "wrong-url",
    "answers-html",
    "throttled",
    "server-error",
}


class Stand(stand.Stand):
    """No real system: what it proves is that outcomes go through the flows as they should."""

    is_real = False

    def bring_about(
        self, scenario: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
    ) -> stand.Situation:
        """Have the check in which the scenario shows go wrong, until it is mended."""
        check = Check.REACHABILITY if scenario in _SEEN_AT_ONCE else _CHECK.get(scenario, Check.WRITABILITY)
        behaviour, failure = Behaviour.FAIL, next(iter(SCENARIOS[scenario].kinds), None)
        if failure is FailureKind.TIMED_OUT:
            behaviour, failure = Behaviour.HANG, None
        elif failure is None:
            behaviour = Behaviour.PASS if scenario == "healthy" else Behaviour.WARN
        settings = FaultySettings(system="faulty", check=check, behaviour=behaviour, failure=failure)
        well = stand.Situation(FaultySettings(system="faulty"))
        return stand.Situation(settings, mend=lambda: well)

    def trace(self) -> object:
        """Nothing is kept."""
        return None
