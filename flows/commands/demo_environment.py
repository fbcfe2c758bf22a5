"""Where a demo runs: in the folder `.demo` below the current one, beside a Prefect server of its own.

Settings of a real company are not looked at, and every process that is started ends with the demo.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from adapters.environment import PREFIX
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import prefect_server


@contextlib.contextmanager
def demo_environment(console: Console) -> Iterator[Path]:
    """Run a Prefect server in a fresh folder, work there, and give the folder."""
    folder = Path(".demo").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _interruptible_once(), _own_environment(folder):
        console.print("Starting a Prefect server of the demo's own ...")
        with prefect_server(folder / "prefect") as api:
            os.environ["PREFECT_API_URL"] = api
            yield folder


def connect_to(pleo: EmbeddedPleo, **settings: str) -> None:
    """Make the embedded Pleo and the given settings the connection of this environment."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    connection = {
        "COMPANY_ID": str(pleo.company_id),
        "PLEO__BASE_URL": pleo.base_url,
        "PLEO__API_KEY": pleo.api_key,
        **settings,
    }
    os.environ.update({PREFIX + name: value for name, value in connection.items()})


@contextlib.contextmanager
def _own_environment(folder: Path) -> Iterator[None]:
    """Work in the demo's folder: no settings of a real company, a Prefect home of its own."""
    before, place = dict(os.environ), Path.cwd()
    for name in [name for name in os.environ if name.startswith((PREFIX, "PREFECT_"))]:
        del os.environ[name]
    password = f"demo:{secrets.token_hex(16)}"
    os.environ.update(
        {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_API_AUTH_STRING": password,
            "PREFECT_API_AUTH_STRING": password,
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }
    )
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _interruptible_once() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM unwind the blocks that stop processes, and a second one not disturb that."""
    signals = (signal.SIGINT, signal.SIGTERM)
    interrupted = False

    def unwind(_number: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, unwind) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            if not interrupted:  # else the process ends now, and the end is not to be disturbed either
                signal.signal(each, handler)
