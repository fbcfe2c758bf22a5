"""Repeating one call: exponential backoff with jitter that honours `Retry-After` and always ends."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from adapters.faults import Fault, HttpFault

_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_PASSING_FAULTS = frozenset(
    {
        Fault.UNKNOWN_HOST,
        Fault.REFUSED,
        Fault.NO_ROUTE,
        Fault.TIMEOUT,
        Fault.CONNECTION_LOST,
    }
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one call may be repeated.

    Attributes:
        attempts: how often the call is made at most.
        budget: seconds after which no further attempt begins.
        first_wait: seconds before the second attempt; doubled each time, plus jitter of the same size.
        longest_wait: seconds between two attempts at most, also where `Retry-After` asks for more.

    """

    attempts: int = 6
    budget: float = 90.0
    first_wait: float = 1.0
    longest_wait: float = 60.0


logger = logging.getLogger(__name__)


def _log_repetition(details: RetryDetails) -> None:
    logger.warning("Asked again in %.1f s: %s", details.wait_for, details.caused_by)


# Instead of stamina's own line, which names neither the wait nor the cause.
set_on_retry_hooks([_log_repetition])


def passes_by_itself(fault: HttpFault) -> bool:
    """Whether a later attempt can succeed although nobody acts."""
    if fault.fault is Fault.STATUS:
        return fault.status in _PASSING_STATUS
    return fault.fault in _PASSING_FAULTS


def may_have_taken_effect(fault: HttpFault) -> bool:
    """Whether a write may have been done: it went out, and no answer ruled that out (rule of the house 3)."""
    if not fault.may_have_arrived:
        return False
    return fault.status is None or fault.status < 300 or fault.status >= 500


def worth_writing_again(fault: HttpFault) -> bool:
    """Whether a write may be tried again, once a read has shown that it was not done."""
    return passes_by_itself(fault) or may_have_taken_effect(fault)


def attempts(
    policy: RetryPolicy, worth_repeating: Callable[[HttpFault], bool] = passes_by_itself
) -> AsyncIterator[stamina.Attempt]:
    """Give the attempts for one call, to be used with `async for` and, inside it, `with`.

    The last fault is raised when attempts or budget are used up, or when the server asks for a longer
    wait than the budget still holds.
    """
    end = time.monotonic() + policy.budget

    def hook(error: Exception) -> bool | float:
        if not isinstance(error, HttpFault) or not worth_repeating(error):
            return False
        if error.retry_after is None:
            return time.monotonic() < end
        wait = min(max(error.retry_after, policy.first_wait), policy.longest_wait)
        return wait if time.monotonic() + wait < end else False

    return stamina.retry_context(
        on=hook,
        attempts=policy.attempts,
        timeout=policy.budget,
        wait_initial=policy.first_wait,
        wait_max=policy.longest_wait,
        wait_jitter=policy.first_wait,
    )
