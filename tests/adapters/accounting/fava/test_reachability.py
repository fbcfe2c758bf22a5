"""Reachable means that the very ledger answers as Fava does; anything else is told apart (L42)."""

from __future__ import annotations

import os
import signal
import time

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.adapters.accounting.fava.checking import assert_ready, checked, checks_of, failure_at, opened
from tests.support import steps
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

PATHS = ["", f"/{SLUG}"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(steps.html(), id="page"),
        pytest.param(steps.other_json(), id="other JSON"),
        pytest.param(steps.login_redirect(), id="login page"),
        pytest.param(steps.login_redirect("https://login.example.com/"), id="login page elsewhere"),
        pytest.param(steps.login_redirect("/"), id="redirect to itself"),
        pytest.param(steps.login_redirect("//[/"), id="redirect to nowhere"),
        pytest.param(steps.answer(302), id="redirect without an address"),
    ],
)
async def test_another_server_does_not_pass_for_fava(
    between: ScriptedServer, path: str, step: steps.Step
) -> None:
    async with opened(between.url(path)) as system:
        between.play_on(step)
        failure = failure_at(await checked(system), Check.REACHABILITY, FailureKind.NOT_THE_SYSTEM)
        assert not failure.row.transient
        between.heal()
        assert_ready(await checked(system))


@pytest.mark.parametrize(
    "behind",
    [steps.answer(404), steps.html(), steps.other_json(), steps.login_redirect()],
    ids=lambda s: s.name,
)
async def test_a_server_that_redirects_like_fava_is_looked_at_closely(
    between: ScriptedServer, behind: steps.Step
) -> None:
    between.play(steps.login_redirect("/shop/entrance/"), behind)
    async with opened(between.url()) as system:
        failure_at(await checked(system), Check.REACHABILITY, FailureKind.NOT_THE_SYSTEM)
        assert [request.path for request in between.requests] == ["/", "/shop/api/changed"]
        assert_ready(await checked(system))


async def test_a_redirect_to_another_host_does_not_name_our_ledger(between: ScriptedServer) -> None:
    between.play(steps.login_redirect(f"https://login.example.com/{SLUG}/income_statement/"))
    async with opened(between.url()) as system:
        failure_at(await checked(system), Check.REACHABILITY, FailureKind.NOT_THE_SYSTEM)
        assert_ready(await checked(system))


async def test_the_addresses_of_pleo_and_fava_may_have_been_mixed_up(fava: FavaServer) -> None:
    with EmbeddedPleo() as pleo:
        outcomes = await checks_of(pleo.base_url)
    # It knows no such path, as a Fava would that serves another ledger.
    failure_at(outcomes, Check.REACHABILITY, FailureKind.WRONG_ADDRESS)
    assert_ready(await checks_of(fava.origin))


async def test_a_ledger_that_this_fava_does_not_serve(fava: FavaServer) -> None:
    outcomes = await checks_of(f"{fava.origin}/books-of-nobody")
    failure = failure_at(outcomes, Check.REACHABILITY, FailureKind.WRONG_ADDRESS)
    assert failure.evidence == "HTTP 404"
    assert "PLEO_EXPORT_ACCOUNTING__URL" in failure.remedy
    assert_ready(await checks_of(fava.url))


async def test_a_ledger_that_got_another_title_moved_to_another_address(own_fava: FavaServer) -> None:
    async with opened(own_fava.url) as system:
        assert_ready(await checked(system))
        own_fava.ledger.write_text(ledger_text(title="Renamed"))
        own_fava.restart()
        failure_at(await checked(system), Check.REACHABILITY, FailureKind.WRONG_ADDRESS)
    assert_ready(await checks_of(f"{own_fava.origin}/renamed"))


async def test_stopped(own_fava: FavaServer) -> None:
    async with opened(own_fava.url) as system:
        assert_ready(await checked(system))
        own_fava.stop()
        failure = failure_at(await checked(system), Check.REACHABILITY, FailureKind.CONNECTION_REFUSED)
        assert failure.row.transient
        own_fava.start()
        assert_ready(await checked(system))


@pytest.mark.parametrize("path", PATHS)
async def test_frozen(own_fava: FavaServer, path: str) -> None:
    async with opened(own_fava.origin + path, deadline=5) as system:
        assert_ready(await checked(system))
        os.kill(own_fava.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            outcomes = await checked(system, deadline=0.4)
            assert time.monotonic() - begun < 1.2
        finally:
            os.kill(own_fava.pid, signal.SIGCONT)
        failure = failure_at(outcomes, Check.REACHABILITY, FailureKind.TIMED_OUT)
        assert failure.row.transient
        assert failure.evidence == "no verdict within 0.4 s"
        assert_ready(await checked(system))


async def test_a_request_ends_without_a_check_around_it(own_fava: FavaServer) -> None:
    async with opened(own_fava.url, deadline=0.4) as system:
        os.kill(own_fava.pid, signal.SIGSTOP)
        try:
            outcomes = await checked(system, deadline=10)
        finally:
            os.kill(own_fava.pid, signal.SIGCONT)
        failure = failure_at(outcomes, Check.REACHABILITY, FailureKind.TIMED_OUT)
        assert failure.evidence == "no complete answer in time"
        assert outcomes[0].seconds < 1.2
        assert_ready(await checked(system, deadline=10))
