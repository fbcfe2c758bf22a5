"""`pleo-export sandbox`: the embedded Pleo on loopback, for people and programs without staging access."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel
from rich.console import Console

from adapters.environment import ConfigurationError
from adapters.pleo.sandbox import EmbeddedPleo, SandboxNotStarted, UnusableStateFile, serve
from flows.commands.output import print_json


class SandboxRecord(BaseModel):
    """The JSON object of `pleo-export sandbox`: where it is and what it accepts. None of it is secret."""

    base_url: str
    company_id: str
    api_key: str
    access_token: str


def serve_sandbox(*, port: int, state_file: Path | None, as_json: bool) -> None:
    """Serve until Ctrl-C or SIGTERM; say at the start where, and with which local credentials.

    Raises:
        ConfigurationError: the port cannot be had, or the state file cannot be used.

    """

    def announce(pleo: EmbeddedPleo) -> None:
        record = SandboxRecord(
            base_url=pleo.base_url,
            company_id=pleo.company_id,
            api_key=pleo.api_key,
            access_token=pleo.access_token,
        )
        if as_json:
            print_json(record)
            return
        console = Console()
        console.print(f"The embedded Pleo answers at {record.base_url}; end it with Ctrl-C.")
        console.print(f"  company id    {record.company_id}")
        console.print(f"  API key       {record.api_key}")
        console.print(f"  access token  {record.access_token}")
        console.print(f"Make a job:  curl -X POST {record.base_url}/_sandbox/jobs -d '{{\"items\": 5}}'")

    try:
        serve(port=port, state_file=state_file, on_start=announce)
    except (SandboxNotStarted, UnusableStateFile) as fault:
        raise ConfigurationError(str(fault)) from fault
