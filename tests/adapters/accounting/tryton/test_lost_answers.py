"""Whatever is lost between us and Tryton, the next attempt settles it, and nothing is booked twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.accounting.booking import Booked, Posting, Refused, Uncertain
from adapters.accounting.contract import CheckFailed
from adapters.accounting.item_failures import ItemFailureKind
from tests.adapters.accounting.tryton.conftest import Connection, Ledger
from tests.adapters.accounting.tryton.entries import an_entry, booked, entries, references
from tests.support.scripted_server import ScriptedServer
from tests.support.steps import answer, garbage, hang_up, never, throttled, unauthorized

DEADLINE = 1.0


class LosingServer(ScriptedServer):
    """Hands requests to Tryton, but not the answers to those that `loses` names.

    Attributes:
        loses: asked with the request line and the number of requests before.
        delay: seconds that such a request takes to reach Tryton, after its sender was hung up on.

    """

    loses: Any = staticmethod(lambda line, number: False)
    delay = 0.0

    async def _pass_on(
        self, request_line: str, headers: Any, body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if not self.loses(request_line, len(self.requests) - 1):
            await super()._pass_on(request_line, headers, body, writer)
            return
        if self.delay:
            writer.close()
        await asyncio.sleep(self.delay)
        await super()._pass_on(request_line, headers, body, _Void())  # type: ignore[arg-type]


class _Void:
    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...


@pytest.fixture
def server(ledger: Ledger) -> Iterator[LosingServer]:
    with LosingServer(upstream=ledger.connection.settings["url"]) as server:
        yield server


@pytest.fixture
def connection(ledger: Ledger, server: LosingServer) -> Connection:
    return ledger.connection.but(url=server.url(), deadline=DEADLINE)


def creates(line: str, _number: int) -> bool:
    return "/account.move/create " in line or "/account.move?" in line


def posts(line: str, _number: int) -> bool:
    return "/post?" in line


@pytest.mark.parametrize(
    ("delivered", "posting"), [(True, Posting.DRAFT), (True, Posting.FINAL), (False, Posting.FINAL)]
)
async def test_whichever_answer_is_lost_the_next_attempt_books_once(
    delivered: bool, posting: Posting, server: LosingServer, connection: Connection, ledger: Ledger
) -> None:
    state = "draft" if posting is Posting.DRAFT else "posted"
    async with connection.but(deadline=0.6).system() as system, ledger.connection.system() as healthy:
        await system.book([an_entry()])  # it now knows whether there are links
        server.requests.clear()
        await system.book(entries(2, posting=posting))
        writes = next(n for n, each in enumerate(server.requests) if creates(f"POST {each.path} ", n))
        reads = [] if delivered else [0, writes - 1]  # the first one, and the look-up
        for lost in (*reads, *range(writes, len(server.requests))):
            given = entries(2, posting=posting)
            server.requests.clear()
            if delivered:
                server.loses = lambda _line, number, lost=lost: number == lost
            else:
                server.let_pass(lost)
                server.play(hang_up())
            results = await system.book(given)
            server.loses = LosingServer.loses
            found = await healthy.find(references(given))
            for result in results:
                assert isinstance(result, Booked) <= (result.reference in found)
                assert isinstance(result, Refused) <= (result.reference not in found)
            again = await healthy.book(given)
            assert all(isinstance(each, Booked) for each in again)
            assert [move["state"] for move in ledger.moves(*references(given))] == [state] * 2


async def test_entries_that_tryton_creates_after_we_lost_it_are_found(
    server: LosingServer, connection: Connection, ledger: Ledger
) -> None:
    server.loses, server.delay = creates, 0.3
    given = entries(3)
    async with connection.system() as system:
        assert all(isinstance(each, Booked) for each in await system.book(given))
    assert len(ledger.moves(*references(given))) == 3


@pytest.mark.slow
async def test_entries_that_tryton_creates_much_later_are_uncertain_and_then_found(
    server: LosingServer, connection: Connection, ledger: Ledger
) -> None:
    server.loses, server.delay = creates, 1.5
    given = entries(3, posting=Posting.FINAL)
    async with connection.system() as system:
        results = await system.book(given)
        assert [type(result) for result in results] == [Uncertain] * 3
        server.loses = LosingServer.loses
        while len(ledger.moves(*references(given))) < 3:  # noqa: ASYNC110 - Tryton does not tell
            await asyncio.sleep(0.1)
        assert await system.find(references(given)) == {}  # not posted yet
        assert all(isinstance(each, Booked) for each in await system.book(given))
        assert set(await system.find(references(given))) == set(references(given))
    assert [move["state"] for move in ledger.moves(*references(given))] == ["posted"] * 3


async def test_a_lost_request_to_post_is_uncertain_and_the_others_wait(
    server: LosingServer, connection: Connection, ledger: Ledger
) -> None:
    server.loses, server.delay = posts, 60
    given = entries(2, posting=Posting.FINAL)
    async with connection.system() as system:
        assert [type(result) for result in await system.book(given)] == [Uncertain, Refused]
        server.loses = LosingServer.loses
        assert all(isinstance(each, Booked) for each in await system.book(given))
    assert [move["state"] for move in ledger.moves(*references(given))] == ["posted"] * 2


KINDS = [
    (unauthorized(), Refused, ItemFailureKind.SYSTEM_REFUSES_CREDENTIALS),
    (throttled(3), Refused, ItemFailureKind.SYSTEM_THROTTLED),
    (answer(404), Refused, ItemFailureKind.SYSTEM_UNREACHABLE),
    (answer(503), Uncertain, ItemFailureKind.SYSTEM_UNREACHABLE),
    (never(), Uncertain, ItemFailureKind.SYSTEM_TIMED_OUT),
    (garbage(), Uncertain, ItemFailureKind.SYSTEM_UNREACHABLE),
]


@pytest.mark.parametrize(("step", "certainty", "kind"), KINDS, ids=lambda each: getattr(each, "name", None))
async def test_what_stands_between_is_told_as_it_is_and_the_next_attempt_books(
    step: Any,
    certainty: type,
    kind: ItemFailureKind,
    server: LosingServer,
    connection: Connection,
    ledger: Ledger,
) -> None:
    entry = an_entry()
    async with connection.but(deadline=0.6).system() as system, ledger.connection.system() as healthy:
        await system.find([entry.reference])  # it now knows whether there are links
        server.requests.clear()
        await booked(system, an_entry())
        (creation,) = [n for n, each in enumerate(server.requests) if creates(f"POST {each.path} ", n)]
        server.let_pass(creation)
        server.play(step)
        (result,) = await system.book([entry])
        assert isinstance(result, certainty)
        assert result.failure.kind is kind
        assert str(connection.settings["application_key"]) not in repr(result)
        await booked(healthy, entry)
        server.play_on(step)  # from the first look-up on: nothing was sent
        (result,) = await system.book([other := an_entry()])
        assert isinstance(result, Refused)
        with pytest.raises(CheckFailed):
            await system.find([other.reference])
        server.heal()
        await booked(healthy, other)
    assert len(ledger.moves(entry.reference, other.reference)) == 2


async def test_a_refused_connection_refuses_the_entries(
    server: LosingServer, connection: Connection, ledger: Ledger
) -> None:
    entry = an_entry()
    async with connection.system() as system:
        server.close_port()
        (result,) = await system.book([entry])
        assert isinstance(result, Refused)
        assert result.failure.kind is ItemFailureKind.SYSTEM_UNREACHABLE
        server.heal()
        await booked(system, entry)
    assert len(ledger.moves(entry.reference)) == 1


@pytest.mark.slow
async def test_a_defect_of_tryton_refuses_the_entry_that_brings_it_about(
    server: LosingServer, connection: Connection, ledger: Ledger
) -> None:
    entry = an_entry()
    async with connection.system() as system:
        await booked(system, an_entry())
        server.requests.clear()
        await booked(system, an_entry())
        server.let_pass(len(server.requests) - 1)
        server.play(answer(500))
        begun = time.monotonic()
        (result,) = await system.book([entry])
        assert time.monotonic() - begun < 1
        assert isinstance(result, Refused)
        assert result.failure.kind is ItemFailureKind.REFUSED_BY_SYSTEM
        await booked(system, entry)
    assert len(ledger.moves(entry.reference)) == 1
