"""The program of docs/adapters.md adds a user for the integration, with rights enough to book."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind
from flows.commands.tryton_books import ADMIN_PASSWORD, Interface
from tests.adapters.accounting.tryton.conftest import Connection, assert_ready, refused
from tests.support.tryton_server import ACCOUNT, COMPANY, JOURNAL, OTHER_ACCOUNT, TrytonServer, open_periods

PAGE = Path(__file__).parents[4] / "docs" / "adapters.md"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The page's program, with the password from standard input: there is no terminal to ask at."""
    (found,) = re.findall(r"```python\n(# tryton_user.py.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "tryton_user.py"
    path.write_text(found.replace("getpass.getpass()", "sys.stdin.readline().strip()"))
    return path


async def test_the_programs_user_may_book_with_attachments_and_may_not_take_back(
    tryton: TrytonServer, connection: Connection, program: Path
) -> None:
    with tryton.copy() as database:
        admin = Interface(tryton.url, database)
        key = await asyncio.to_thread(_run, program, tryton.url, database)
        theirs = connection.but(database=database, application_key=key)
        assert (await theirs.check(Check.AUTH)).passed
        await assert_ready(theirs)

        def rest(path: str, body: Any = None, method: str = "POST") -> Any:
            request = urllib.request.Request(
                f"{tryton.url}/{database}/rest/model/{path}",
                None if body is None else json.dumps(body).encode(),
                {"authorization": f"Bearer {key}", "content-type": "application/json"},
                method=method,
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")

        move = rest("account.move?f=state", _entry(admin, tryton.books.company))
        file = {"__class__": "bytes", "base64": base64.b64encode(b"receipt").decode()}
        resource = f"account.move,{move['id']}"
        rest("ir.attachment", {"resource": resource, "type": "data", "name": "receipt.txt", "data": file})
        rest(f"account.move/{move['id']}/post", {})
        assert admin.find("account.move", id=move["id"], state="posted")
        draft = rest("account.move?f=state", _entry(admin, tryton.books.company))
        with pytest.raises(urllib.error.HTTPError):
            rest(f"account.move/{draft['id']}", method="DELETE")

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


def _entry(admin: Interface, company: int) -> dict[str, Any]:
    """A balanced entry of today, as Tryton's REST interface takes it."""
    today = dt.datetime.now(dt.UTC).date()

    def line(code: str, side: str) -> dict[str, Any]:
        account = admin.find_one("account.account", code=code, company=company)
        amounts = {"debit": "0", "credit": "0", side: "42.50"}
        decimals = {name: {"__class__": "Decimal", "decimal": value} for name, value in amounts.items()}
        return {"account": account, **decimals}

    return {
        "company": company,
        "journal": admin.find_one("account.journal", code=JOURNAL),
        "period": open_periods(admin, company, of=today)[0],
        "date": {"__class__": "date", "year": today.year, "month": today.month, "day": today.day},
        "lines": [["create", [line(OTHER_ACCOUNT, "debit"), line(ACCOUNT, "credit")]]],
    }
