"""`pleo-export check` against a real Tryton, as an engineer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.accounting.tryton.conftest import Connection
from tests.support.tryton_server import ACCOUNT, TrytonServer

PROGRAM = Path(sys.executable).with_name("pleo-export")


@pytest.fixture
def environment(connection: Connection) -> dict[str, str]:
    settings = {name: value for name, value in connection.settings.items() if name != "accounts"}
    return {
        "PLEO_EXPORT_COMPANY_ID": "0b6c6c8e-7f0e-4b0a-9d6e-0d6f3c1b2a10",
        "PLEO_EXPORT_PLEO__BASE_URL": "http://127.0.0.1:9",
        "PLEO_EXPORT_PLEO__API_KEY": "not-used-here",
        "PLEO_EXPORT_ACCOUNTS__WALLET": ACCOUNT,
        **{f"PLEO_EXPORT_ACCOUNTING__{name.upper()}": value for name, value in settings.items()},
    }


def check(environment: dict[str, str], folder: Path) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [PROGRAM, "check", "--json"],
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_a_tryton_that_is_ready_and_one_that_is_not(
    environment: dict[str, str], tryton: TrytonServer, tmp_path: Path
) -> None:
    key = tryton.books.keys["auditor"]
    not_ready = {**environment, "PLEO_EXPORT_ACCOUNTING__APPLICATION_KEY": key}
    code, said, output = check(not_ready, tmp_path)
    assert code == 3
    assert "User Auditor may not create entries in Tryton." in json.dumps(said)
    assert key not in output
    code, _said, output = check(environment, tmp_path)
    assert code == 0
    assert environment["PLEO_EXPORT_ACCOUNTING__APPLICATION_KEY"] not in output
