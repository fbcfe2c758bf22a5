"""The program of docs/adapters.md adds a user for the integration, with rights enough to book."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from adapters.accounting.booking import Booked, Posting, Receipt
from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind
from flows.commands.tryton_books import ADMIN_PASSWORD, Interface
from tests.adapters.accounting.tryton.conftest import Connection, assert_ready, refused
from tests.adapters.accounting.tryton.entries import an_entry, references
from tests.support.tryton_server import COMPANY, TrytonServer

PAGE = Path(__file__).parents[4] / "docs" / "adapters.md"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The page's program, with the password from standard input: there is no terminal to ask at."""
    (found,) = re.findall(r"```python\n(# tryton_user.py.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "tryton_user.py"
    path.write_text(found.replace("getpass.getpass()", "sys.stdin.readline().strip()"))
    return path


@pytest.mark.slow
async def test_the_programs_user_may_book_with_attachments_and_may_not_take_back(
    tryton: TrytonServer, connection: Connection, program: Path, tmp_path: Path
) -> None:
    with tryton.copy() as database:
        admin = Interface(tryton.url, database)
        key = await asyncio.to_thread(_run, program, tryton.url, database)
        theirs = connection.but(database=database, application_key=key)
        assert (await theirs.check(Check.AUTH)).passed
        await assert_ready(theirs)

        receipt = Receipt("receipt.txt", tmp_path / "receipt.txt", "text/plain")
        receipt.path.write_text("receipt")
        final, draft = an_entry(posting=Posting.FINAL), an_entry()
        async with theirs.system() as system:
            assert await system.examine([final, draft]) == {}
            results = await system.book([final, draft])
            assert [type(result) for result in results] == [Booked, Booked]
            assert set(await system.find([final.reference, draft.reference])) == set(
                references([final, draft])
            )
            for result in results:
                assert isinstance(result, Booked)
                await system.attach(result, receipt)
                await system.attach(result, receipt)
        posted, kept = (
            admin.find("account.move", number=results[0].external_id),
            admin.find("account.move", state="draft"),
        )
        assert len(posted) == len(kept) == 1
        assert len(admin.find("ir.attachment", name="receipt.txt")) == 2
        taking_back = urllib.request.Request(
            f"{tryton.url}/{database}/rest/model/account.move/{kept[0]}",
            headers={"authorization": f"Bearer {key}"},
            method="DELETE",
        )
        with pytest.raises(urllib.error.HTTPError):
            await asyncio.to_thread(urllib.request.urlopen, taking_back, timeout=30)

        # None of its rights to create is there for nothing: without one, the check says so.
        for model in ("account.move", "ir.attachment"):
            (right,) = admin.call(
                "model.ir.model.access.search", [["group.name", "=", "Pleo export"], ["model", "=", model]]
            )
            admin.write("ir.model.access", [right], perm_create=False)
            await refused(theirs, FailureKind.CREATION_NOT_ALLOWED)
            admin.write("ir.model.access", [right], perm_create=True)
        await assert_ready(theirs)


def _run(program: Path, *arguments: str) -> str:
    """Run the page's program and give the key that it prints."""
    done = subprocess.run(
        [sys.executable, program, *arguments, COMPANY],
        input=f"{ADMIN_PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]
