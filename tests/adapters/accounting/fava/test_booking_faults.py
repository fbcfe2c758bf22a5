"""Whatever happens on the wire while entries are booked, each is in the books at most once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from adapters.accounting.booking import Booked, Entry, Refused, Uncertain
from adapters.accounting.contract import CheckFailed
from adapters.accounting.fava import transactions
from adapters.accounting.fava.adapter import FavaSystem
from adapters.accounting.item_failures import ItemFailureKind
from tests.adapters.accounting.fava.checking import opened
from tests.adapters.accounting.fava.entries import all_booked, an_entry, errors, stored
from tests.support import steps
from tests.support.basic_proxy import BasicProxy
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

REQUESTS = 11
"""`changed`; then: no entries, `changed`, `journal`, `ledger_data`, `journal`, `errors`; the entries; no
entries, `changed`, `journal`, `errors`. The first one is number 0."""
SENDING = 7


async def settle(system: FavaSystem, batch: list[Entry]) -> None:
    """What a caller does next: look up, and book what is not there."""
    found = await system.find([entry.reference for entry in batch])
    left = [entry for entry in batch if entry.reference not in found]
    assert all_booked(await system.book(left), left)


async def assert_once(fava: FavaServer, system: FavaSystem, batch: list[Entry]) -> None:
    await settle(system, batch)
    assert all(len(stored(fava, entry)) == 1 for entry in batch)
    assert errors(fava) == []


@pytest.mark.parametrize(
    ("number", "arrives"),
    [(number, True) for number in range(REQUESTS + 1)]
    + [(SENDING, False)]
    + [pytest.param(n, False, marks=pytest.mark.slow) for n in range(REQUESTS + 1) if n != SENDING],
)
async def test_a_lost_answer(fava: FavaServer, between: ScriptedServer, number: int, arrives: bool) -> None:
    batch = [an_entry(amount) for amount in (100, 200, 300)]
    if arrives:
        between.loses_answer = lambda at: at == number
    else:
        between.let_pass(number)
        between.play(steps.hang_up())
    async with opened(between.url(f"/{SLUG}")) as system:
        results = await system.book(batch)
        kinds = {type(result) for result in results}
        if number < SENDING:
            assert kinds == {Refused}
            assert fava.ledger.read_text() == ledger_text()
        elif number == SENDING:
            assert kinds == ({Booked} if arrives else {Uncertain})
        else:
            assert kinds == {Uncertain}
        sent = [request for request in between.requests if "add_entries" in request.path]
        assert len(sent) <= 3
        between.forget()
        await assert_once(fava, system, batch)


LOST = {
    "503": steps.answer(503),
    "500 without a reason": steps.answer(500, b"<h1>no</h1>"),
    "408": steps.answer(408),
    "HTML": steps.html(),
    "other JSON": steps.other_json(),
    "broken JSON": steps.malformed_json(),
    "login page": steps.login_redirect(),
    "reset": steps.reset_in_body(),
    "short body": steps.short_body(),
    "garbage": steps.garbage(),
}
_USUAL = {"503", "500 without a reason", "408", "login page", "reset"}


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(step, id=name, marks=() if name in _USUAL else pytest.mark.slow)
        for name, step in LOST.items()
    ],
)
async def test_an_unusable_answer_proves_nothing(
    fava: FavaServer, between: ScriptedServer, step: steps.Step
) -> None:
    batch = [an_entry(), an_entry()]
    between.let_pass(SENDING)
    between.play(step)
    async with opened(between.url(f"/{SLUG}")) as system:
        results = await system.book(batch)
        assert [type(result) for result in results] == [Uncertain, Uncertain]
        await assert_once(fava, system, batch)


async def test_no_look_up_afterwards(fava: FavaServer, between: ScriptedServer) -> None:
    batch = [an_entry(), an_entry()]
    between.loses_answer = lambda at: at >= SENDING
    async with opened(between.url(f"/{SLUG}")) as system:
        results = await system.book(batch)
        assert [type(result) for result in results] == [Uncertain, Uncertain]
        between.forget()
        found = await system.find([entry.reference for entry in batch])
        assert len(found) == 2
        await assert_once(fava, system, batch)


async def test_fava_stops_answering_in_the_middle(own_fava: FavaServer) -> None:
    """It stores the entries when it comes back to life, long after we gave up."""
    batch = [an_entry(), an_entry()]
    with ScriptedServer(upstream=own_fava.origin) as between:

        def freeze(method: str, path: str) -> None:
            if len(between.requests) == SENDING + 1:
                os.kill(own_fava.pid, signal.SIGSTOP)

        between.before_passing = freeze
        async with opened(between.url(f"/{SLUG}"), deadline=0.5) as system:
            results = await system.book(batch)
            assert [type(result) for result in results] == [Uncertain, Uncertain]
            assert isinstance(results[0], Uncertain)
            assert results[0].failure.kind is ItemFailureKind.SYSTEM_TIMED_OUT
            with pytest.raises(CheckFailed):
                await system.find([entry.reference for entry in batch])
            os.kill(own_fava.pid, signal.SIGCONT)
        async with opened(own_fava.url) as system:
            await assert_once(own_fava, system, batch)


def wait_for_size(fava: FavaServer, size: int) -> None:
    end = time.monotonic() + 20
    while fava.ledger.stat().st_size <= size and time.monotonic() < end:
        time.sleep(0.001)


async def test_a_look_up_waits_for_what_is_being_stored(fava: FavaServer) -> None:
    """Someone was killed while Fava stored entries: whoever looks next must not see half of them."""
    batch = [an_entry() for _ in range(500)]
    body = json.dumps({"entries": [transactions.as_transaction(entry) for entry in batch]}).encode()
    size = fava.ledger.stat().st_size
    async with opened(fava.url) as system:
        storing = threading.Thread(target=fava.put, args=("add_entries", body))
        storing.start()
        await asyncio.to_thread(wait_for_size, fava, size + 1000)
        try:
            found = await system.find([entry.reference for entry in batch])
        finally:
            storing.join()
    assert len(found) == len(batch)


REFUSED = {
    "401 with a challenge": (steps.unauthorized(), ItemFailureKind.SYSTEM_REFUSES_CREDENTIALS),
    "401": (steps.answer(401), ItemFailureKind.SYSTEM_DENIES_ACCESS),
    "403": (steps.answer(403), ItemFailureKind.SYSTEM_DENIES_ACCESS),
    "405": (steps.answer(405), ItemFailureKind.SYSTEM_DENIES_ACCESS),
    "404": (steps.answer(404), ItemFailureKind.SYSTEM_UNREACHABLE),
    "429": (steps.throttled(), ItemFailureKind.SYSTEM_THROTTLED),
}


@pytest.mark.parametrize(("step", "kind"), REFUSED.values(), ids=list(REFUSED))
async def test_a_certain_refusal(
    fava: FavaServer, between: ScriptedServer, step: steps.Step, kind: ItemFailureKind
) -> None:
    batch = [an_entry(), an_entry()]
    between.let_pass(SENDING)
    between.play(step)
    async with opened(between.url(f"/{SLUG}")) as system:
        results = await system.book(batch)
        assert len(between.requests) == SENDING + 1
        for result in results:
            assert isinstance(result, Refused)
            assert result.failure.kind is kind
        assert fava.ledger.read_text() == ledger_text()
        await assert_once(fava, system, batch)


@pytest.mark.slow
async def test_read_only_and_stopped(own_fava: FavaServer) -> None:
    batch = [an_entry()]
    async with opened(own_fava.url) as system:
        own_fava.restart("--read-only")
        assert await system.find([batch[0].reference]) == {}
        [result] = await system.book(batch)
        assert isinstance(result, Refused)
        assert result.failure.kind is ItemFailureKind.SYSTEM_DENIES_ACCESS
        own_fava.stop()
        [result] = await system.book(batch)
        assert isinstance(result, Refused)
        assert result.failure.kind is ItemFailureKind.SYSTEM_UNREACHABLE
        own_fava.start()
        await assert_once(own_fava, system, batch)


async def test_a_ledger_file_without_write_permission(fava: FavaServer) -> None:
    batch = [an_entry(), an_entry()]
    async with opened(fava.url) as system:
        fava.ledger.chmod(0o444)
        for result in await system.book(batch):
            assert isinstance(result, Refused)
            assert result.failure.kind is ItemFailureKind.SYSTEM_DENIES_ACCESS
        fava.ledger.chmod(0o644)
        await assert_once(fava, system, batch)


async def test_a_second_file_without_write_permission(fava: FavaServer) -> None:
    """Fava has stored some of the entries when it comes to the file that it may not write."""
    fava.ledger.write_text(ledger_text() + '\ninclude "travel.beancount"\n')
    second = fava.ledger.with_name("travel.beancount")
    second.write_text('2020-01-01 custom "fava-option" "insert-entry" "Expenses:Travel"\n')
    first = an_entry(account="Equity:Opening", date=an_entry().date.replace(month=1))
    batch = [an_entry(), first, an_entry()]
    async with opened(fava.url) as system:
        second.chmod(0o444)
        results = await system.book(batch)
        assert [type(result) for result in results] == [Refused, Booked, Refused]
        second.chmod(0o644)
        await assert_once(fava, system, batch)


@pytest.fixture
def one_bad(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An amount that our own checks let pass and Fava refuses."""
    write = transactions.amount_text
    monkeypatch.setattr(
        transactions,
        "amount_text",
        lambda amount, currency: write(amount, currency if abs(amount) != 13 else "?"),
    )
    return 13


@pytest.mark.parametrize("size", [1, 2, 7, 20])
async def test_one_bad_entry_does_not_hold_up_the_others(fava: FavaServer, one_bad: int, size: int) -> None:
    batch = [an_entry(1000 + number) for number in range(size)]
    batch[size // 2] = an_entry(one_bad)
    async with opened(fava.url) as system:
        results = await system.book(batch)
        good = [entry for entry in batch if entry is not batch[size // 2]]
        assert all_booked([result for result in results if isinstance(result, Booked)], good)
        bad = results[size // 2]
        assert isinstance(bad, Refused)
        assert bad.reference == batch[size // 2].reference
        assert bad.failure.told_to_pleo().text.startswith("Fava did not take the entry")
        assert stored(fava, batch[size // 2]) == []
        await assert_once(fava, system, good)


async def test_too_large_a_request_is_halved(fava: FavaServer, between: ScriptedServer) -> None:
    batch = [an_entry() for _ in range(5)]
    between.let_pass(SENDING)
    between.play(steps.answer(413))
    async with opened(between.url(f"/{SLUG}")) as system:
        assert all_booked(await system.book(batch), batch)
        await assert_once(fava, system, batch)


async def test_through_a_proxy_with_credentials(fava: FavaServer) -> None:
    batch = [an_entry()]
    with BasicProxy(fava.origin, username="clerk", password="CANARY-5f1d") as proxy:
        async with opened(f"{proxy.origin}/{SLUG}", user=("clerk", "CANARY-5f1d")) as system:
            proxy.password = "other"
            [result] = await system.book(batch)
            assert isinstance(result, Refused)
            assert result.failure.kind is ItemFailureKind.SYSTEM_REFUSES_CREDENTIALS
            proxy.password = "CANARY-5f1d"
            [booked] = await system.book(batch)
            assert isinstance(booked, Booked)
            assert booked.external_url is not None
            assert booked.external_url.startswith(f"{proxy.origin}/{SLUG}/")
            assert "CANARY" not in booked.external_url
            await assert_once(fava, system, batch)
