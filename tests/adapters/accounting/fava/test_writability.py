"""Whatever keeps Fava from storing an entry is found, named, and gone once it is mended (L42, L43)."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind
from tests.adapters.accounting.fava.checking import assert_ready, checked, checks_of, failure_at, opened
from tests.support import steps
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer


async def test_read_only_mode(own_fava: FavaServer) -> None:
    async with opened(own_fava.url) as system:
        own_fava.restart("--read-only")
        failure = failure_at(await checked(system), Check.WRITABILITY, FailureKind.READ_ONLY)
        assert failure.evidence == "HTTP 401 to a writing request"
        assert failure.remedy == "End the read-only mode of Fava, then export again."
        own_fava.restart()
        assert_ready(await checked(system))


async def test_a_ledger_file_without_write_permission(fava: FavaServer) -> None:
    async with opened(fava.url) as system:
        fava.ledger.chmod(0o444)
        failure = failure_at(await checked(system), Check.WRITABILITY, FailureKind.STORAGE_NOT_WRITABLE)
        assert failure.cause == "Fava has no permission to write its ledger file."
        fava.ledger.chmod(0o644)
        assert_ready(await checked(system))


async def test_a_ledger_file_that_fava_may_not_even_read(fava: FavaServer) -> None:
    async with opened(fava.url) as system:
        fava.ledger.chmod(0)
        failure_at(await checked(system), Check.WRITABILITY, FailureKind.STORAGE_NOT_WRITABLE)
        fava.ledger.chmod(0o644)
        assert_ready(await checked(system))


async def test_a_ledger_file_that_is_gone(own_fava: FavaServer) -> None:
    """Fava has not noticed yet and goes on answering as before; its files say otherwise."""
    aside = own_fava.ledger.with_name("aside")
    async with opened(own_fava.url) as system:
        assert_ready(await checked(system))
        own_fava.ledger.rename(aside)
        failure = failure_at(await checked(system), Check.WRITABILITY, FailureKind.STORAGE_MISSING)
        assert failure.cause == "The ledger file of Fava is gone."
        aside.rename(own_fava.ledger)
        own_fava.restart()
        assert_ready(await checked(system))


def wait_until_missed(fava: FavaServer) -> None:
    """Fava notices some tenths of a second later that its file is gone, and gives up its address."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            fava.ask("changed")
        except urllib.error.HTTPError:
            return
        time.sleep(0.02)
    raise AssertionError("Fava does not notice")


@pytest.mark.parametrize(
    ("path", "check"), [("", Check.WRITABILITY), (f"/{SLUG}", Check.REACHABILITY)], ids=["no slug", "slug"]
)
async def test_a_ledger_file_that_fava_misses(own_fava: FavaServer, path: str, check: Check) -> None:
    """Fava shows an empty ledger instead, whose title and therefore address is another one."""
    aside = own_fava.ledger.with_name("aside")
    async with opened(own_fava.origin + path) as system:
        assert_ready(await checked(system))
        own_fava.ledger.rename(aside)
        wait_until_missed(own_fava)
        failure = failure_at(await checked(system), check, FailureKind.STORAGE_MISSING)
        assert failure.evidence == "Fava could not read its main file"
        aside.rename(own_fava.ledger)
        own_fava.restart()
        assert_ready(await checked(system))


@pytest.fixture
def travel(fava: FavaServer) -> FavaServer:
    """With a second file, part of the ledger, into which Fava inserts the entries of one account."""
    fava.ledger.write_text(ledger_text() + '\ninclude "travel.beancount"\n')
    second(fava).write_text('2020-01-01 custom "fava-option" "insert-entry" "Expenses:Travel"\n')
    return fava


def second(fava: FavaServer) -> Path:
    return fava.ledger.with_name("travel.beancount")


async def test_a_second_file_that_entries_are_inserted_into(travel: FavaServer) -> None:
    async with opened(travel.url) as system:
        assert_ready(await checked(system))
        second(travel).chmod(0o444)
        failure_at(await checked(system), Check.WRITABILITY, FailureKind.STORAGE_NOT_WRITABLE)
        second(travel).chmod(0o644)
        assert_ready(await checked(system))


async def test_a_second_file_that_is_only_read(travel: FavaServer) -> None:
    second(travel).write_text("2020-01-01 open Assets:Other\n")
    second(travel).chmod(0o444)
    assert_ready(await checks_of(travel.url))


async def test_a_default_file_that_is_not_part_of_the_ledger(fava: FavaServer) -> None:
    """Fava stores entries there, and nobody ever sees them in the ledger."""
    option = '2020-01-01 custom "fava-option" "default-file" "elsewhere.beancount"\n'
    fava.ledger.with_name("elsewhere.beancount").write_text("")
    async with opened(fava.url) as system:
        fava.ledger.write_text(ledger_text() + "\n" + option)
        failure_at(await checked(system), Check.WRITABILITY, FailureKind.STORAGE_MISSING)
        fava.ledger.write_text(ledger_text() + '\ninclude "elsewhere.beancount"\n' + option)
        assert_ready(await checked(system))


def _not_text(ledger: Path) -> None:
    ledger.write_bytes(ledger_text().encode() + b"; caf\xe9\n")


def _included_not_text(ledger: Path) -> None:
    ledger.write_text(ledger_text() + '\ninclude "other.beancount"\n')
    ledger.with_name("other.beancount").write_bytes(b"; caf\xe9\n")


@pytest.mark.parametrize(
    ("spoil", "ready"), [(_not_text, False), (_included_not_text, True)], ids=["written", "only read"]
)
async def test_a_file_that_is_not_unicode(
    fava: FavaServer, spoil: Callable[[Path], None], ready: bool
) -> None:
    """Only a file that Fava must write keeps entries out."""
    async with opened(fava.url) as system:
        spoil(fava.ledger)
        outcomes = await checked(system)
        if ready:
            assert outcomes[-1].passed
        else:
            failure_at(outcomes, Check.WRITABILITY, FailureKind.UNUSABLE_BOOKS)
        fava.ledger.write_text(ledger_text())
        assert_ready(await checked(system))


async def test_a_fava_before_1_30_5_which_has_no_journal(between: ScriptedServer) -> None:
    async with opened(between.url(f"/{SLUG}")) as system:
        between.let_pass(5)
        between.play(steps.answer(404, b"<h1>Not Found</h1>"))
        failure = failure_at(await checked(system), Check.WRITABILITY, FailureKind.VERSION_UNSUPPORTED)
        assert "/api/journal" in between.requests[-1].path
        assert failure.remedy.startswith("Upgrade Fava to 1.30.5 or newer")
        assert_ready(await checked(system))
