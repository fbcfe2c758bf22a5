"""Many companies: one embedded Pleo, one Fava with a ledger for each, and a saved connection for each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from adapters.connection import ExportConnection
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.blocks import ExportConnectionBlock
from flows.commands.local_services import free_port, installed_program, service

_NAMESPACE = UUID("0d3c2c34-3b6e-4f6a-9f0e-2f2a3f6d7a11")

LEDGER = """\
option "title" "{name}"
option "operating_currency" "EUR"
2020-01-01 open Assets:Pleo:Wallet EUR
2020-01-01 open Expenses:Travel
2020-01-01 open Expenses:Meals
"""


@dataclass
class Company:
    """One company of the fleet."""

    name: str
    ledger: Path
    address: str
    pleo: EmbeddedPleo
    job_id: str = ""

    @property
    def company_id(self) -> str:
        return str(uuid5(_NAMESPACE, self.name))

    def export(self, items: int) -> None:
        """Click Export in Pleo."""
        self.job_id = self.pleo.create_job(
            items=items,
            companyId=self.company_id,
            types={"card_purchase": 1},
            accounts=["Expenses:Travel", "Expenses:Meals"],
            contra_account="Assets:Pleo:Wallet",
        )

    @property
    def status(self) -> str:
        return str(self.pleo.job(self.job_id)["status"])

    def booked(self) -> list[str]:
        """Every reference in the ledger file, as often as it stands there."""
        words = self.ledger.read_text().split()
        return sorted(word.removeprefix("^pleo-") for word in words if word.startswith("^pleo-"))

    def to_be_booked(self) -> list[str]:
        return sorted(item["accountingEntryId"] for item in self.pleo.job(self.job_id)["items"])

    def events(self) -> list[str]:
        """What Pleo was sent and took."""
        return [each["event"] for each in self.pleo.job(self.job_id)["events"] if each["answer"] == 202]

    def connection(self) -> ExportConnection:
        return ExportConnection.model_validate(
            {
                "company_id": self.company_id,
                "pleo": {"base_url": self.pleo.base_url, "api_key": self.pleo.api_key},
                "accounting": {"system": "fava", "url": self.address},
                "without_receipt": "book",
            }
        )


@contextlib.contextmanager
def fleet(folder: Path, companies: int) -> Iterator[list[Company]]:
    """Serve Pleo and the ledgers of so many companies."""
    names = [f"company-{number:02}" for number in range(1, companies + 1)]
    ledgers = [folder / f"{name}.beancount" for name in names]
    for name, ledger in zip(names, ledgers, strict=True):
        ledger.write_text(LEDGER.format(name=name))
    port = free_port()
    command = [installed_program("fava"), *map(str, ledgers), "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with EmbeddedPleo() as pleo, service(command, answers_at=address, log=folder / "fava.log"):
        yield [
            Company(name, ledger, f"{address}/{name}", pleo)
            for name, ledger in zip(names, ledgers, strict=True)
        ]


async def save_connections(fleet: list[Company], client: Mapping[str, str]) -> None:
    """Save the connections of the companies under their names, in the server of these client settings."""
    updates = {
        PREFECT_API_URL: client["PREFECT_API_URL"],
        PREFECT_API_AUTH_STRING: client["PREFECT_API_AUTH_STRING"],
    }
    with temporary_settings(updates):
        for company in fleet:
            block = ExportConnectionBlock(**dict(company.connection()))
            await block.save(company.name, overwrite=True)
