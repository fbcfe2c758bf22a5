"""Is it a Tryton of a supported version, and has it the database?"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from adapters.accounting.contract import Check, Verdict
from adapters.accounting.failures import FailureKind, Resolution
from tests.adapters.accounting.tryton.conftest import Connection
from tests.support import steps
from tests.support.scripted_server import ScriptedServer
from tests.support.tryton_server import TrytonServer

VERSION = steps.answer(200, b'{"id": 1, "result": "8.2"}')
NOT_TOLD = steps.answer(403)


@pytest.fixture
def between(tryton: TrytonServer) -> Iterator[ScriptedServer]:
    with ScriptedServer(upstream=tryton.url) as server:
        yield server


async def test_a_healthy_tryton_passes_all_checks_quickly(connection: Connection) -> None:
    outcomes = await connection.check_all()
    assert [(outcome.check, outcome.verdict) for outcome in outcomes] == [
        (check, Verdict.PASSED) for check in Check
    ]
    assert sum(outcome.seconds for outcome in outcomes) < 5


async def test_an_address_may_end_with_a_slash(connection: Connection) -> None:
    outcome = await connection.but(url=f"{connection.settings['url']}/").check(Check.REACHABILITY)
    assert outcome.passed


@pytest.mark.parametrize("wrong", ["no_such_database", "postgres", "ünïcode & more?#", "%2e%2e"])
async def test_a_wrong_database_is_told_at_once_and_names_the_setting(
    wrong: str, connection: Connection
) -> None:
    outcome = await connection.but(database=wrong).check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.WRONG_ADDRESS
    assert "PLEO_EXPORT_ACCOUNTING__DATABASE" in outcome.failure.remedy
    assert outcome.seconds < 5
    assert (await connection.check(Check.REACHABILITY)).passed


async def test_a_database_that_goes_and_comes_back(tryton: TrytonServer, connection: Connection) -> None:
    with tryton.copy() as name:
        other = connection.but(database=name)
        with tryton.postgres.connect() as postgres:
            postgres.execute(f"alter database {name} rename to {name}_away")
            missing = await other.check(Check.REACHABILITY)
            postgres.execute(f"alter database {name}_away rename to {name}")
        assert missing.failure is not None
        assert missing.failure.kind is FailureKind.WRONG_ADDRESS
        assert (await other.check(Check.REACHABILITY)).passed


async def test_a_version_that_no_person_could_read_is_cut(
    connection: Connection, between: ScriptedServer
) -> None:
    between.play(steps.answer(200, b'{"id": 1, "result": "8\\u0007%s"}' % (b"1" * 100_000)))
    behind = connection.but(url=between.url())
    outcome = await behind.check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.VERSION_UNSUPPORTED
    assert outcome.failure.evidence == "version 8 11111111111111111…"
    assert (await behind.check(Check.REACHABILITY)).passed


@pytest.mark.parametrize("version", ["7.0", "8.0", "8.20", "9.0"])
async def test_an_unsupported_version_is_told_with_both_versions(
    version: str, connection: Connection, between: ScriptedServer
) -> None:
    between.play(steps.answer(200, b'{"id": 1, "result": "%s"}' % version.encode()))
    behind = connection.but(url=between.url())
    outcome = await behind.check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.VERSION_UNSUPPORTED
    assert version in outcome.failure.cause
    assert "Tryton to 8.2," in outcome.failure.remedy
    assert (await behind.check(Check.REACHABILITY)).passed


async def test_the_key_is_not_sent_before_tryton_has_proved_to_be_tryton(
    connection: Connection, between: ScriptedServer
) -> None:
    assert (await connection.but(url=between.url()).check(Check.REACHABILITY)).passed
    assert between.requests
    assert not any(request.authorized for request in between.requests)
    assert (await connection.but(url=between.url()).check(Check.AUTH)).passed
    assert between.requests[-1].authorized


async def test_a_server_without_tryton_at_this_address_names_the_address(connection: Connection) -> None:
    with ScriptedServer() as other:
        outcome = await connection.but(url=other.url()).check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.WRONG_ADDRESS
    assert "PLEO_EXPORT_ACCOUNTING__URL" in outcome.failure.remedy
    assert (await connection.check(Check.REACHABILITY)).passed


async def test_an_address_with_a_path_too_many_is_not_a_tryton(connection: Connection) -> None:
    outcome = await connection.but(url=f"{connection.settings['url']}/tryton").check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind in {FailureKind.WRONG_ADDRESS, FailureKind.NOT_THE_SYSTEM}
    assert (await connection.check(Check.REACHABILITY)).passed


@pytest.mark.parametrize("status", [401, 403, 407])
async def test_someone_in_between_who_wants_credentials_is_not_tryton(
    status: int, connection: Connection, between: ScriptedServer
) -> None:
    between.play_on(steps.answer(status))
    behind = connection.but(url=between.url())
    outcome = await behind.check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.NOT_THE_SYSTEM
    between.heal()
    assert (await behind.check(Check.REACHABILITY)).passed


async def test_a_tryton_that_keeps_its_databases_to_itself_passes(
    connection: Connection, between: ScriptedServer
) -> None:
    between.play(VERSION, NOT_TOLD)
    assert (await connection.but(url=between.url()).check(Check.REACHABILITY)).passed
    assert [request.step for request in between.requests] == ["200", "403", "upstream"]


async def test_an_answer_to_a_request_without_key_is_not_tryton(
    connection: Connection, between: ScriptedServer
) -> None:
    between.play(VERSION, NOT_TOLD, steps.answer(200, b"[]"))
    behind = connection.but(url=between.url())
    outcome = await behind.check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.NOT_THE_SYSTEM
    assert (await behind.check(Check.REACHABILITY)).passed


async def test_a_silent_database_is_told_from_a_silent_tryton_before_the_deadline(
    connection: Connection, between: ScriptedServer
) -> None:
    between.play(VERSION, NOT_TOLD, steps.never())
    behind = connection.but(url=between.url(), deadline=1.0)
    begun = time.monotonic()
    outcome = await behind.check(Check.REACHABILITY)
    assert time.monotonic() - begun < 1.0
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.DATABASE_SILENT
    assert outcome.failure.row.resolution is Resolution.RETRY_LATER
    assert "database server of Tryton" in outcome.failure.remedy
    assert (await connection.but(url=between.url()).check(Check.REACHABILITY)).passed


async def test_a_tryton_that_falls_silent_is_not_blamed_on_its_database(
    connection: Connection, between: ScriptedServer
) -> None:
    between.play(VERSION, NOT_TOLD)
    between.play_on(steps.never())
    behind = connection.but(url=between.url(), deadline=1.0)
    outcome = await behind.check(Check.REACHABILITY)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.TIMED_OUT
    assert outcome.seconds < 1.0
    between.heal()
    assert (await connection.but(url=between.url()).check(Check.REACHABILITY)).passed


async def test_a_stopped_postgresql_is_told_as_what_it_is_and_comes_back(
    tryton: TrytonServer, connection: Connection
) -> None:
    if tryton.postgres.folder is None:
        pytest.skip("this PostgreSQL is not ours to stop")
    assert all(outcome.passed for outcome in await connection.check_all())
    with tryton.postgres.stopped():
        at_once = await connection.check(Check.REACHABILITY)
        in_time = await connection.but(deadline=1.0).check(Check.AUTH)
    for outcome in (at_once, in_time):
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.DATABASE_SILENT
    assert at_once.seconds < 5
    assert in_time.seconds < 1.0
    assert all(outcome.passed for outcome in await connection.but(deadline=40).check_all())
