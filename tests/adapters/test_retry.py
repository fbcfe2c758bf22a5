"""How long a server may ask to be left alone, and what is worth a second attempt."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.faults import Fault, HttpFault
from adapters.http import retry_after_seconds
from adapters.retry import RetryPolicy, attempts, passes_by_itself

POLICY = RetryPolicy(attempts=3, budget=2, first_wait=0.01, longest_wait=0.1)


def wait(value: str) -> float | None:
    return retry_after_seconds({"retry-after": value})


@given(st.integers(0, 10**8))
def test_seconds_are_read(seconds: int) -> None:
    assert wait(str(seconds)) == wait(f" {seconds} ") == seconds


@given(st.integers(-(10**6), 10**9))
def test_a_date_is_read_and_one_that_is_past_means_now(seconds: int) -> None:
    found = wait(email.utils.formatdate(time.time() + seconds, usegmt=True))
    assert found is not None
    assert abs(found - max(0, seconds)) <= 2


@given(
    st.text() | st.from_regex(r"[0-9+.e -]{1,400}") | st.from_regex(r"\w{3}, \d+ \w{3} \d+ [\d:]+ [+-]?\w+")
)
@example("1 Jan 99999999999999999999 00:00:00 GMT")
@example("1 Jan 0001 00:00:00 -0000")
@example("31 Dec 9999 23:59:59 -2359")
@example("9" * 5000)
def test_whatever_is_said_a_wait_is_a_number_or_nothing(value: str) -> None:
    found = wait(value)
    assert found is None or 0 <= found < 10**12


@pytest.mark.parametrize(
    "value", ["", "-1", "-5", "1.5", "1e3", "soon", "0x10", "\u0663", "\u00b2", "inf", "nan"]
)
def test_what_is_neither_seconds_nor_a_date_says_nothing(value: str) -> None:
    assert wait(value) is None


def test_no_header_says_nothing() -> None:
    assert retry_after_seconds({}) is None


async def tries(faults: list[HttpFault], policy: RetryPolicy = POLICY) -> int:
    """Meet these faults one after the other; give the number of the attempt that succeeded."""
    made = 0
    async for attempt in attempts(policy):
        with attempt:
            made += 1
            if faults:
                raise faults.pop(0)
    return made


def status(code: int, retry_after: float | None = None) -> HttpFault:
    return HttpFault(Fault.STATUS, status=code, retry_after=retry_after)


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_passes_is_asked_again(code: int) -> None:
    assert await tries([status(code), status(code)]) == 3


@pytest.mark.parametrize(
    "fault", [Fault.REFUSED, Fault.UNKNOWN_HOST, Fault.NO_ROUTE, Fault.TIMEOUT, Fault.CONNECTION_LOST]
)
async def test_a_fault_that_passes_is_asked_again(fault: Fault) -> None:
    assert await tries([HttpFault(fault)]) == 2


@pytest.mark.parametrize(
    "fault",
    [
        *(status(code) for code in (400, 401, 403, 404, 409, 413, 422, 501)),
        *(
            HttpFault(fault)
            for fault in (Fault.BAD_ADDRESS, Fault.TLS, Fault.NOT_HTTP, Fault.REDIRECT, Fault.TOO_LARGE)
        ),
        HttpFault(Fault.NOT_JSON),
        HttpFault(Fault.WRONG_SHAPE),
    ],
    ids=lambda fault: fault.evidence,
)
async def test_what_does_not_pass_is_raised_at_once(fault: HttpFault) -> None:
    assert not passes_by_itself(fault)
    later = [fault, status(503)]
    with pytest.raises(HttpFault) as caught:
        await tries(later)
    assert caught.value is fault
    assert len(later) == 1


async def test_the_last_fault_is_raised_when_the_attempts_are_used_up() -> None:
    faults = [status(500), status(502), status(503), status(504)]
    with pytest.raises(HttpFault, match="HTTP 503"):
        await tries(faults)
    assert len(faults) == 1


async def test_a_wait_that_is_asked_for_is_kept_up_to_the_longest() -> None:
    begun = time.monotonic()
    assert await tries([status(429, retry_after=3600)]) == 2
    assert 0.1 <= time.monotonic() - begun < 0.5


async def test_a_wait_longer_than_the_budget_is_not_begun() -> None:
    impatient = RetryPolicy(attempts=3, budget=0.2, first_wait=0.01, longest_wait=60)
    begun = time.monotonic()
    with pytest.raises(HttpFault, match="HTTP 429"):
        await tries([status(429, retry_after=30)], impatient)
    assert time.monotonic() - begun < 0.15


async def test_another_exception_is_not_a_fault_to_repeat() -> None:
    made = 0
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the loop is what is tested
        async for attempt in attempts(POLICY):
            with attempt:
                made += 1
                raise ZeroDivisionError
    assert made == 1
