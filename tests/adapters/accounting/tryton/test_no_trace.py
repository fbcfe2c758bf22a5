"""The checks leave nothing behind in Tryton's database, however they end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.accounting.contract import Check
from flows.commands.tryton_books import Interface
from tests.adapters.accounting.tryton.conftest import Connection
from tests.support.tryton_server import JOURNAL, TrytonServer


@pytest.fixture
def untouched(tryton: TrytonServer) -> Iterator[str]:
    """A copy of the books that nobody has used yet; no table and no sequence of it is left out."""
    with tryton.copy() as name:
        yield name


async def test_no_row_and_no_sequence_changes_whoever_asks(
    tryton: TrytonServer, connection: Connection, untouched: str
) -> None:
    clerks = connection.but(database=untouched)
    before = tryton.postgres.contents(untouched)
    assert all(outcome.passed for outcome in await clerks.check_all())
    for key in (*tryton.books.keys.values(), "unknown"):
        theirs = clerks.but(application_key=key, journal="NONE", accounts={"wallet": "9.9.9"})
        outcomes = [await theirs.check(check) for check in Check]
        assert not outcomes[-1].passed
    assert tryton.postgres.contents(untouched) == before


async def test_nothing_is_written_and_rolled_back_although_that_would_be_noticed(
    tryton: TrytonServer, connection: Connection, untouched: str
) -> None:
    postgres = tryton.postgres
    contents, counted = postgres.contents(untouched), postgres.writes(untouched)
    for _ in range(3):
        assert all(outcome.passed for outcome in await connection.but(database=untouched).check_all())
    assert postgres.writes(untouched) == counted

    _create_and_delete_a_draft(Interface(tryton.url, untouched), tryton.books.company)
    assert postgres.writes(untouched) > counted
    after = postgres.contents(untouched)
    assert {"account_move_id_seq", "ir_model_log"} <= {
        name for name in after if after[name] != contents[name]
    }


def _create_and_delete_a_draft(admin: Interface, company: int) -> None:
    period = admin.find("account.period", company=company, state="open")[0]
    day = admin.call("model.account.period.read", [period], ["start_date"])[0]["start_date"]
    journal = admin.find_one("account.journal", code=JOURNAL)
    draft = admin.create("account.move", company=company, journal=journal, period=period, date=day)
    admin.call("model.account.move.delete", [draft])
