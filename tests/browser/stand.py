"""What an operator's browser meets: Prefect with a worker, a Pleo, a Fava ledger, one saved connection."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.environment import PREFIX
from adapters.pleo.sandbox.server import EmbeddedPleo
from adapters.pleo.sandbox.settings import SandboxSettings
from flows.commands.local_services import free_port, installed_program, service
from tests.support.fava_server import FavaServer
from tests.support.prefect_on_postgresql import prefect_on_postgresql

CHECKOUT = Path(__file__).parents[2]
CONNECTION = "acme-denmark"
SECONDS = 90


@dataclass
class Stand:
    """The servers, and where their pages are.

    Attributes:
        api: address of Prefect's API.
        pleo: the company's Pleo.
        fava: the company's books.

    """

    api: str
    pleo: EmbeddedPleo
    fava: FavaServer

    @property
    def origin(self) -> str:
        """Address of Prefect's pages, as one types it."""
        return self.api.removesuffix("/api")

    def runs(self) -> list[dict[str, Any]]:
        """All runs that have begun, newest first, as Prefect keeps them."""
        wanted = {"flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}}, "sort": "START_TIME_DESC"}
        found: list[dict[str, Any]] = httpx.post(f"{self.api}/flow_runs/filter", json=wanted).json()
        return found


@contextmanager
def standing(folder: Path, books: str) -> Iterator[Stand]:
    """Run everything until the block ends; Fava begins read-only."""
    ledger = folder / "books.beancount"
    ledger.write_text(books)
    accounts = SandboxSettings(
        expense_accounts=("Expenses:Travel", "Expenses:Meals"), contra_account="Assets:Pleo:Wallet"
    )
    with prefect_on_postgresql() as api, EmbeddedPleo(settings=accounts) as pleo:
        fava = FavaServer(ledger)
        environment = {
            "PREFECT_API_URL": api,
            "PREFECT_HOME": str(folder / "client"),
            "PREFECT_WORKER_QUERY_SECONDS": "0.5",
            "PREFECT_WORKER_WEBSERVER_PORT": str(free_port()),
            **_connection(pleo, fava),
        }
        prefect = installed_program("prefect")
        _run(environment, sys.executable, "-m", "deploy.deployments")
        for deployed in httpx.post(f"{api}/deployments/filter", json={}).json():
            if deployed["schedules"]:  # nobody else starts runs here
                httpx.post(f"{api}/deployments/{deployed['id']}/pause_deployment").raise_for_status()
        _run(environment, installed_program("pleo-export"), "connection", "save", CONNECTION)
        worker = [prefect, "worker", "start", "--pool", "pleo-export", "--with-healthcheck"]
        health = f"http://127.0.0.1:{environment['PREFECT_WORKER_WEBSERVER_PORT']}/health"
        fava.start("--read-only")
        try:
            with service(worker, answers_at=health, log=folder / "worker.log", environment=environment):
                yield Stand(api, pleo, fava)
        finally:
            fava.stop()


def _connection(pleo: EmbeddedPleo, fava: FavaServer) -> dict[str, str]:
    settings = {
        "COMPANY_ID": str(pleo.company_id),
        "PLEO__BASE_URL": pleo.base_url,
        "PLEO__API_KEY": pleo.api_key,
        "ACCOUNTING__SYSTEM": "fava",
        "ACCOUNTING__URL": fava.url,
        "ACCOUNTS__OUT_OF_POCKET": "Liabilities:Employees",
        "POSTING": "final",
    }
    return {PREFIX + name: value for name, value in settings.items()}


def _run(environment: Mapping[str, str], *command: str) -> None:
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
