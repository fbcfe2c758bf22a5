"""The shipped automations: created with Prefect's own command, they call a webhook when they should."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import tags
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.watch_exports import watch_exports
from tests.adapters.pleo.sandbox.receiver import Receiver

pytestmark = pytest.mark.usefixtures("prefect_api")

SHIPPED = Path(__file__).parents[2] / "automations" / "alerts.yaml"
NO_BLOCK = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


async def create(receiver: Receiver, folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Create the shipped automations as docs/companies.md says, with a change to their triggers."""
    block = await Webhook(url=receiver.url).save("pleo-export-alerts", overwrite=True)
    file = folder / "alerts.yaml"
    wanted = yaml.safe_load(SHIPPED.read_text().replace(NO_BLOCK, str(block)))
    for automation in wanted["automations"]:
        change(automation["trigger"])
    file.write_text(yaml.safe_dump(wanted))
    command = [Path(sys.executable).with_name("prefect"), "automation", "create", "--from-file", str(file)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    await asyncio.sleep(1)  # the server's triggers take new automations up in the background


async def delete_all() -> None:
    async with get_client() as client:
        for automation in await client.read_automations():
            await client.delete_automation(automation.id)


async def alert(receiver: Receiver, seconds: float, **wanted: str) -> dict[str, Any] | None:
    """Wait for an alert with these fields."""
    end = time.monotonic() + seconds
    while True:
        for _headers, body in list(receiver.got):
            got: dict[str, Any] = json.loads(body)
            if wanted.items() <= got.items():
                return got
        if time.monotonic() > end:
            return None
        await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_a_run_that_failed_calls_the_webhook(
    receiver: Receiver,
    pleo: EmbeddedPleo,
    connect: Callable[..., None],
    tmp_path: Path,
    read_only_ledger: str,
) -> None:
    connect(read_only_ledger)
    try:
        await create(receiver, tmp_path, lambda trigger: None)
        with tags("pleo-export"):
            assert (await watch_exports(return_state=True)).name == "NothingToExport"
            pleo.create_job(items=1)
            assert (await watch_exports(return_state=True)).name == "ValidationFailed"
        told = await alert(receiver, 60, alert="run failed", run="all companies watch")
        assert told is not None
        assert told["state"] == "ValidationFailed"
        assert "read-only mode" in told["message"]
    finally:
        await delete_all()


@pytest.mark.slow
async def test_silence_calls_the_webhook(
    receiver: Receiver, pleo: EmbeddedPleo, connect: Callable[..., None], tmp_path: Path, healthy_ledger: str
) -> None:
    def sooner(trigger: dict[str, Any]) -> None:
        if trigger["posture"] == "Proactive":
            trigger["within"] = 15

    connect(healthy_ledger)
    try:
        await create(receiver, tmp_path, sooner)
        for _ in range(4):
            assert (await watch_exports(return_state=True)).name == "NothingToExport"
            await asyncio.sleep(5)
        assert not receiver.got, "runs go well"
        assert await alert(receiver, 60, alert="no run of watch-exports went well for an hour")
    finally:
        await delete_all()
