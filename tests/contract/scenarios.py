"""The conformance table: what every adapter must say in which state of its system.

A scenario's name is also a rule of each adapter's `quality.yaml`, which calls it done or exempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.accounting.contract import Verdict
from adapters.accounting.failures import FailureKind as Kind


@dataclass(frozen=True)
class Scenario:
    """What must come of a state.

    Attributes:
        kinds: kinds of failure of which one must come; none where the checks must pass.
        verdict: worst verdict of the three checks.
        transient: whether a later attempt may succeed although nobody acts.

    """

    kinds: frozenset[Kind] = frozenset()
    verdict: Verdict = Verdict.FAILED
    transient: bool = False


def _fails(*kinds: Kind, transient: bool = False) -> Scenario:
    return Scenario(frozenset(kinds), Verdict.FAILED, transient)


SCENARIOS: Mapping[str, Scenario] = {
    "healthy": Scenario(verdict=Verdict.PASSED),
    "down": _fails(Kind.CONNECTION_REFUSED, transient=True),
    "hangs": _fails(Kind.TIMED_OUT, transient=True),
    "slow-drip": _fails(Kind.TIMED_OUT, transient=True),
    "tls-error": _fails(Kind.TLS_FAILED, transient=True),
    "wrong-url": _fails(Kind.WRONG_ADDRESS),
    "answers-html": _fails(Kind.NOT_THE_SYSTEM),
    "throttled": _fails(Kind.THROTTLED, transient=True),
    "server-error": _fails(Kind.SERVER_ERROR, transient=True),
    "wrong-credentials": _fails(Kind.CREDENTIALS_REFUSED),
    "expired-credentials": _fails(Kind.CREDENTIALS_REFUSED),
    "no-right-to-create": _fails(Kind.CREATION_NOT_ALLOWED),
    "read-only": _fails(Kind.READ_ONLY),
    "locked": _fails(Kind.LOCKED),
    "every-period-closed": _fails(Kind.NO_OPEN_PERIOD),
    "todays-period-closed": Scenario(verdict=Verdict.WARNING),
    "wrong-company": _fails(Kind.BOOKS_COMPANY_UNKNOWN),
    "missing-journal": _fails(Kind.CONFIGURATION_MISSING),
    "missing-account": _fails(Kind.CONFIGURATION_MISSING),
}

WIRE_SCENARIOS = ("down", "hangs", "slow-drip", "tls-error", "answers-html", "throttled", "server-error")
"""Those that come about between us and the system, whatever the system is."""

GENERAL_RULES = (
    "no-trace",
    "no-secret",
    "recovery",
    "rebooked-once",
    "within-the-deadline",
    "capabilities-declared",
    "settings-described",
    "real-system",
    "set-up-documented",
)
"""Rules that no single state of the system shows; a test of each is in `test_quality.py`."""
