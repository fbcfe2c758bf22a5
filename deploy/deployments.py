"""Brings work pool, deployments and the automation for silent runs to a Prefect server, as of this version.

    python -m deploy.deployments

Which server, the environment says (PREFECT_API_URL). To be run again after each new version: nothing is
made twice, and what is there is brought up to date.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

CHECKOUT = Path(__file__).parents[1]
POOL = "pleo-export"
SILENT_RUNS = CHECKOUT / "automations" / "silent-runs.yaml"
_SECONDS = 300


def deploy() -> None:
    """Make the pool and the deployments of prefect.yaml, and the automation.

    Raises:
        subprocess.CalledProcessError: a command of Prefect's failed; it has said why.

    """
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            _prefect("work-pool", "create", POOL, "--type", "process")
        _prefect("deploy", "--all")
        for declared in yaml.safe_load(SILENT_RUNS.read_text(encoding="utf-8"))["automations"]:
            automation = AutomationCore.model_validate(declared)
            there = client.read_automations_by_name(automation.name)
            if there:
                client.update_automation(there[0].id, automation)
            else:
                client.create_automation(automation)
            print(f"Automation {automation.name!r} is {'up to date' if there else 'made'}.", flush=True)


def _prefect(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("prefect")), "--no-prompt", *arguments]
    subprocess.run(command, cwd=CHECKOUT, check=True, timeout=_SECONDS)  # noqa: S603 - our own program


if __name__ == "__main__":
    deploy()
