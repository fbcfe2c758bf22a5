"""Serving: on loopback, in a thread or as a process; gone and back at the same address."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo, SandboxNotStarted, SandboxSettings
from tests.adapters.pleo.sandbox.calls import caller, entry_ids, export_items

COMMAND = [str(Path(sys.executable).with_name("pleo-export")), "sandbox"]


def test_pleo_can_go_away_and_come_back_at_the_same_address() -> None:
    pleo = EmbeddedPleo()
    with caller(pleo.start(), auth=(pleo.api_key, "")) as api:
        job_id, address = pleo.create_job(2), pleo.base_url
        pleo.stop()
        pleo.stop()
        with pytest.raises(httpx.ConnectError):
            api.get(address + "/v3/export-jobs")
        assert pleo.start().start() is pleo
        assert [job["id"] for job in api.get("/v3/export-jobs").json()["data"]] == [job_id]
        pleo.stop()


def test_a_taken_port_is_said_and_another_one_works() -> None:
    with EmbeddedPleo() as first:
        port = int(first.base_url.rpartition(":")[2])
        second = EmbeddedPleo(port=port)
        with pytest.raises(SandboxNotStarted, match=str(port)):
            second.start()
    with second:
        assert second.base_url == first.base_url, "once the port is free"


@pytest.mark.parametrize("place", [{"host": "203.0.113.1"}, {"host": "no such host"}, {"port": 70_000}])
def test_an_address_that_is_not_of_this_machine_is_said(place: dict[str, Any]) -> None:
    with pytest.raises(SandboxNotStarted):
        EmbeddedPleo(**place).start()


def test_it_is_loopback_unless_told_otherwise(pleo: EmbeddedPleo) -> None:
    assert pleo.base_url.startswith("http://127.0.0.1:")


def test_settings_take_effect() -> None:
    settings = SandboxSettings(
        page_size=2,
        page_ceiling=3,
        job_lifetime_seconds=60,
        token_lifetime_seconds=7,
        expense_accounts=("Expenses:Only",),
        contra_account=None,
    )
    with EmbeddedPleo(settings=settings) as pleo, caller(pleo, auth=(pleo.api_key, "")) as api:
        job_id = pleo.create_job(5)
        path = f"/v3/export-jobs/{job_id}/items"
        assert [len(api.get(path, params=query).json()["data"]) for query in ({}, {"limit": 9})] == [2, 3]
        items = export_items(api, job_id).values()
        assert {line["account"]["code"] for item in items for line in item["accountingEntryLines"]} == {
            "Expenses:Only"
        }
        assert {item["contraAccount"] for item in items} == {None}
        assert pleo.change_credentials("issue_tokens")["expiresIn"] == 7
        pleo.advance(60)
        assert pleo.job(job_id)["failureReasonType"] == "job_expired"


def test_it_can_be_steered_from_many_threads_while_it_serves(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    job_id = pleo.create_job(50, status="in_progress")
    ids = entry_ids(pleo, job_id)

    def report(part: list[str]) -> None:
        with caller(pleo, auth=(pleo.api_key, "")) as mine:
            for each in part:
                mine.put(
                    f"/v3/export-jobs/{job_id}/items",
                    json=[{"accountingEntryId": each, "status": "successful"}],
                )
                pleo.requests(status=200)

    threads = [threading.Thread(target=report, args=(ids[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert pleo.job(job_id)["counts"]["successful"] == 50
    numbers = [each["number"] for each in pleo.requests(method="PUT")]
    assert numbers == sorted(numbers) and len(set(numbers)) == 50


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_ended(tmp_path: Path, ending: signal.Signals) -> None:
    command = [*COMMAND, "--port", "0", "--json"]
    command += ["--state-file", str(tmp_path / "pleo.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        answer = httpx.get(
            told["base_url"] + "/v1/installations/me", auth=(told["api_key"], ""), trust_env=False
        )
        assert answer.json()["resource"].endswith(told["company_id"])
        process.send_signal(ending)
        assert process.wait(10) == 0


@pytest.mark.parametrize("what", ["port", "state_file"])
def test_the_command_says_in_one_sentence_why_it_cannot_serve(
    pleo: EmbeddedPleo, tmp_path: Path, what: str
) -> None:
    options = {
        "port": ["--port", pleo.base_url.rpartition(":")[2]],
        "state_file": ["--port", "0", "--state-file", str(tmp_path)],
    }[what]
    command = [*COMMAND, *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1 and "Traceback" not in ended.stderr
