"""Fava knows no users; a proxy in front of it does, and what it says is told apart (L42, L43)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind, FailureReporting
from flows.rules.readiness import Readiness
from tests.adapters.accounting.fava.checking import (
    AMPLE,
    CANARY,
    User,
    assert_ready,
    checked,
    checks_of,
    failure_at,
    opened,
    texts_of,
)
from tests.support.basic_proxy import BasicProxy
from tests.support.fava_server import SLUG, FavaServer

CLERK: User = ("clerk", f"{CANARY}-right")


@pytest.fixture(scope="module")
def shared_proxy(shared_fava: FavaServer) -> Iterator[BasicProxy]:
    with BasicProxy(shared_fava.origin, username=CLERK[0], password=CLERK[1]) as server:
        yield server


@pytest.fixture
def proxy(fava: FavaServer, shared_proxy: BasicProxy) -> BasicProxy:
    shared_proxy.username, shared_proxy.password = CLERK
    shared_proxy.forbidden = False
    shared_proxy.refused_methods = {}
    return shared_proxy


@pytest.mark.parametrize("path", ["", f"/{SLUG}"])
async def test_the_right_credentials_open_the_ledger(proxy: BasicProxy, path: str) -> None:
    assert_ready(await checks_of(proxy.origin + path, user=CLERK))


@pytest.mark.parametrize("path", ["", f"/{SLUG}"])
@pytest.mark.parametrize(
    ("user", "cause"),
    [
        (("clerk", f"{CANARY}-wrong"), "Fava refused the user name and password of user clerk."),
        (("nobody", CLERK[1]), "Fava refused the user name and password of user nobody."),
        (None, "Fava refused a request without user name and password."),
    ],
    ids=["wrong password", "unknown user", "none configured"],
)
async def test_refused_credentials(proxy: BasicProxy, path: str, user: User | None, cause: str) -> None:
    outcomes = await checks_of(proxy.origin + path, user=user)
    failure = failure_at(outcomes, Check.AUTH, FailureKind.CREDENTIALS_REFUSED)
    assert failure.cause == cause
    assert failure.remedy == (
        "Get valid credentials for Fava, save them in the connection, then export again."
    )
    assert failure.evidence == "HTTP 401"
    told = failure.told_to_pleo(FailureReporting.SPECIFIC)
    assert told == ("accounting_system_authentication_failure", f"{cause} {failure.remedy}")
    assert_ready(await checks_of(proxy.origin + path, user=CLERK))


async def test_credentials_changed_while_the_connection_is_open(proxy: BasicProxy) -> None:
    async with opened(f"{proxy.origin}/{SLUG}", user=CLERK) as system:
        assert_ready(await checked(system))
        proxy.password = "another"
        failure_at(await checked(system), Check.AUTH, FailureKind.CREDENTIALS_REFUSED)
        proxy.password = CLERK[1]
        assert_ready(await checked(system))


async def test_credentials_changed_between_two_checks(proxy: BasicProxy) -> None:
    async with opened(f"{proxy.origin}/{SLUG}", user=CLERK) as system:
        readiness = Readiness(system, AMPLE, AMPLE)
        assert (await readiness.run(Check.AUTH)).passed
        proxy.password = "another"
        outcome = await readiness.run(Check.WRITABILITY)
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.CREDENTIALS_REFUSED
        texts_of(outcome.failure)
        proxy.password = CLERK[1]
        assert (await readiness.run(Check.WRITABILITY)).passed


@pytest.mark.parametrize("path", ["", f"/{SLUG}"])
async def test_a_known_user_without_access(proxy: BasicProxy, path: str) -> None:
    async with opened(proxy.origin + path, user=CLERK) as system:
        proxy.forbidden = True
        failure = failure_at(await checked(system), Check.AUTH, FailureKind.ACCESS_REVOKED)
        assert failure.cause == "Fava denies access to user clerk."
        assert failure.remedy == "Give user clerk access to Fava again, then export again."
        proxy.forbidden = False
        assert_ready(await checked(system))


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (403, FailureKind.CREATION_NOT_ALLOWED, "User clerk may not create entries in Fava."),
        (405, FailureKind.READ_ONLY, "Fava is in read-only mode and takes no new entries."),
    ],
)
async def test_a_user_who_may_only_read(
    proxy: BasicProxy, status: int, kind: FailureKind, cause: str
) -> None:
    async with opened(proxy.origin, user=CLERK) as system:
        proxy.refused_methods = {"PUT": status}
        failure = failure_at(await checked(system), Check.WRITABILITY, kind)
        assert failure.cause == cause
        proxy.refused_methods = {}
        assert_ready(await checked(system))


async def test_behind_the_login_stands_another_server(proxy: BasicProxy) -> None:
    """Who is asked for a password cannot say yet whose ledger it is; afterwards it is looked at."""
    outcomes = await checks_of(f"{proxy.origin}/books-of-nobody", user=CLERK)
    failure_at(outcomes, Check.REACHABILITY, FailureKind.WRONG_ADDRESS)
    unknown = await checks_of(f"{proxy.origin}/books-of-nobody")
    failure_at(unknown, Check.AUTH, FailureKind.CREDENTIALS_REFUSED)
    assert_ready(await checks_of(proxy.origin, user=CLERK))
