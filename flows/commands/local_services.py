"""Servers that run on loopback beside a command and end with it: a Fava ledger, a Prefect server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.commands.errors import ServiceError

_STOP_SECONDS = 10
_POLL_SECONDS = 0.05


def free_port() -> int:
    """Give a TCP port on 127.0.0.1 that is free at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def service(
    command: Sequence[str],
    *,
    answers_at: str | None,
    log: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> Iterator[int]:
    """Run a server in its own process group until the block ends, however it ends; gives its process id.

    Args:
        command: program and arguments.
        answers_at: http URL that answers, with any status, once the server is up; None: it is not waited for.
        log: file for all its output.
        environment: variables beside those of this process.
        seconds: time in which it must be up.

    Raises:
        ServiceError: it ended or did not answer in time.

    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs on this machine
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        if answers_at:
            _wait_until_up(process, answers_at, seconds, log)
        yield process.pid
    finally:
        _stop(process)


def run_to_end(command: Sequence[str], *, seconds: float) -> str:
    """Run a program of this package to its end and give its standard output; its stderr is passed on.

    Raises:
        ServiceError: it did not end in time.

    """
    process = subprocess.Popen(  # noqa: S603 - our own programs on this machine
        [installed_program(command[0]), *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        raise ServiceError(f"{' '.join(command)} did not end within {seconds:g} s.") from None
    finally:
        _stop(process)


@contextlib.contextmanager
def fava_ledger(ledger: Path, *, read_only: bool = False, port: int | None = None) -> Iterator[str]:
    """Serve a Beancount ledger with Fava, on a free port unless one is named, and give its address."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    command = [installed_program("fava"), str(ledger), "--host", "127.0.0.1", "--port", str(port)]
    with service(
        command + ["--read-only"] * read_only, answers_at=address, log=ledger.with_suffix(".fava.log")
    ):
        yield address


@contextlib.contextmanager
def prefect_server(
    home: Path, environment: Mapping[str, str] | None = None, *, port: int | None = None
) -> Iterator[str]:
    """Run a Prefect server whose files stay in `home`, and give the address of its API.

    Args:
        home: Prefect's home; the database is there too unless the environment names another.
        environment: settings beside those of this process.
        port: port on 127.0.0.1; without it a free one.

    """
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    address = f"http://127.0.0.1:{port}/api"
    command = [installed_program("prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_UI_API_URL": address,  # else its pages ask port 4200, whichever port they come from
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",
        **(environment or {}),
    }
    with service(
        command, answers_at=f"{address}/health", log=home / "server.log", environment=settings, seconds=120
    ):
        yield address


def installed_program(name: str) -> str:
    """Path of a program that is installed beside this Python."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise ServiceError(
            f"{name} is not installed beside {sys.executable}: install pleo-export[demo], "
            "and for Tryton pleo-export[tryton]."
        )
    return str(path)


def _wait_until_up(process: subprocess.Popen[bytes], address: str, seconds: float, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ServiceError(f"a server ended at once instead of answering at {address}; see {log}")
        try:
            opener.open(address, timeout=5).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code < 500:
                return
        except OSError:
            pass
        time.sleep(_POLL_SECONDS)
    raise ServiceError(f"nothing answered at {address} within {seconds:g} s; see {log}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


def _stop(process: subprocess.Popen[Any]) -> None:
    """End the whole process group: politely, then for good."""
    if process.poll() is not None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
        try:
            process.wait(_STOP_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
