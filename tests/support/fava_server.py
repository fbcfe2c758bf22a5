"""A real Fava on loopback with a small ledger: start, stop, restart on the same port.

File permissions must be able to stop it, so it runs without root's power to ignore them: when the tests
run as root, the process gives up CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH before it becomes Fava.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from tests.support.ports import LOOPBACK, free_port

_GIVE_UP_ROOTS_POWER = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
libc = ctypes.CDLL(None)
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""

TITLE = "Books of Example"
SLUG = "books-of-example"

_ACCOUNTS = ("Assets:Pleo", "Assets:Bank", "Expenses:Travel", "Liabilities:Employees", "Equity:Opening")


def ledger_text(transactions: int = 3, title: str = TITLE) -> str:
    """Text of a ledger without errors; `Assets:Old` is closed."""
    lines = [f'option "title" "{title}"', 'option "operating_currency" "EUR"', ""]
    lines += [f"2020-01-01 open {account}" for account in _ACCOUNTS]
    lines += ["2020-01-01 open Assets:Old", "2021-01-01 close Assets:Old", ""]
    for number in range(transactions):
        lines += [
            f"20{20 + number % 5}-{1 + number % 12:02}-{1 + number % 28:02} "
            f'* "Payee {number}" "Trip {number}" ^pleo-{number:08}',
            f'  pleo-id: "00000000-0000-4000-8000-{number:012}"',
            "  Expenses:Travel   42.50 EUR",
            "  Assets:Pleo      -42.50 EUR",
            "",
        ]
    return "\n".join(lines)


class FavaServer:
    """One Fava process that serves the given ledger files; a context manager.

    Attributes:
        ledgers: its files, the first one being the default.
        port: where it listens, also after a restart.

    """

    def __init__(self, *ledgers: Path, arguments: tuple[str, ...] = ()) -> None:
        self.ledgers = ledgers
        self.port = free_port()
        self.arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._started_with: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Address without a ledger's slug."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """Address of the first ledger, as long as it has the default title."""
        return f"{self.origin}/{SLUG}"

    @property
    def ledger(self) -> Path:
        """The first ledger's file."""
        return self.ledgers[0]

    @property
    def log(self) -> Path:
        """What it said, of all its starts; beside the ledger's folder, which tests empty."""
        return self.ledger.parent.with_name(f"{self.ledger.parent.name}.fava.log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *arguments: str, within: float = 30.0) -> None:
        """Start and wait until Fava answers. `arguments` (such as `--read-only`) hold for this start."""
        self._started_with = arguments
        fava = str(Path(sys.executable).parent / "fava")
        serve = [fava, *map(str, self.ledgers), "--host", LOOPBACK, "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _GIVE_UP_ROOTS_POWER, *serve, *self.arguments, *arguments],
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + within
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError("Fava did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process; its port refuses connections afterwards."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, *arguments: str) -> None:
        """Stop, then start on the same port."""
        self.stop()
        self.start(*arguments)

    def renew(self, text: str) -> None:
        """Leave nothing in the folder but the ledger, with this text, and have it served as at first."""
        for path in self.ledger.parent.iterdir():
            if path != self.ledger:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not self.ledger.exists() or self.ledger.read_bytes() != text.encode():
            self.ledger.write_text(text)
        self.ledger.chmod(0o644)
        if not self.running or self._started_with or not self._answers():
            self.restart()

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def ask(self, endpoint: str, slug: str = SLUG) -> Any:
        """`data` of one GET of Fava's API, past the adapter."""
        with urllib.request.urlopen(f"{self.origin}/{slug}/api/{endpoint}", timeout=30) as answer:
            return json.load(answer)["data"]

    def put(self, endpoint: str, body: bytes) -> None:
        """One PUT of JSON to Fava's API, past the adapter."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/{endpoint}", body, headers, method="PUT")
        with urllib.request.urlopen(request, timeout=60):
            pass

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.origin, timeout=10):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
