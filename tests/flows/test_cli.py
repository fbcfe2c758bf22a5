"""The command line: exit codes, the JSON of the last line, and what it must not do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.flows.commands import Ended, as_process, last_json

CANARY = "CANARY-7f3a"
Connect = Callable[..., None]
Call = Callable[..., Ended]


def test_check_of_a_ready_system(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, call: Call
) -> None:
    connect(healthy_ledger)
    done = call("check", "--json")
    assert done.returncode == 0, done.stderr
    record = last_json(done)
    assert (record["ready"], record["system"], record["failure"]) == (True, "fava", None)
    assert [check["check"] for check in record["checks"]] == ["reachability", "auth", "writability"]
    assert {check["verdict"] for check in record["checks"]} == {"passed"}
    assert pleo.requests() == [], "Pleo is not asked"
    shown = call("check")
    assert shown.returncode == 0
    assert "Fava is ready to take entries" in shown.stdout


def test_check_of_a_system_that_is_not_ready(
    pleo, connect: Connect, read_only_ledger: str, call: Call
) -> None:
    connect(read_only_ledger)
    done = call("check", "--json")
    assert done.returncode == 3
    record = last_json(done)
    assert record["ready"] is False
    failure = record["failure"]
    assert (failure["kind"], failure["type"]) == ("read_only", "accounting_system_unreachable")
    assert failure["reason"] == "Failed to reach the Accounting System."
    assert failure["remedy"]
    connect(read_only_ledger, FAILURE_REPORTING="specific")
    assert last_json(call("check", "--json"))["failure"]["type"] == "validation_failure"


def test_check_shows_what_was_not_run(pleo, connect: Connect, absent_ledger: str, call: Call) -> None:
    connect(absent_ledger)
    done = call("check", "--json")
    assert done.returncode == 3
    assert [check["verdict"] for check in last_json(done)["checks"]] == ["failed", "not run", "not run"]


def test_check_does_not_import_prefect(pleo, connect: Connect, healthy_ledger: str) -> None:
    connect(healthy_ledger)
    script = (
        "import sys; from flows.cli import main\n"
        "try: main(['check'])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'prefect']"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_rebook_needs_a_job(pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, call: Call) -> None:
    connect(healthy_ledger)
    done = call("run", "--rebook", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--job-id" in done.stderr
    assert pleo.requests() == []


@pytest.mark.parametrize("command", [["check"], ["run", "--fetch-only"], ["run"]])
@pytest.mark.parametrize("name", ["COMPANY_ID", "PLEO__BASE_URL", "ACCOUNTING__URL"])
def test_a_missing_setting_is_one_sentence(
    pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, command: list[str], name: str, call: Call
) -> None:
    connect(healthy_ledger)
    del os.environ[f"PLEO_EXPORT_{name}"]
    done = call(*command)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"PLEO_EXPORT_{name}" in done.stderr
    assert "Traceback" not in done.stderr
    assert pleo.requests() == []
    connect(healthy_ledger)
    assert call("check").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [["run", "--job-id", "no-uuid", "--fetch-only"], ["run", "--no-such-option"], ["no-such-command"]],
)
def test_wrong_usage(pleo, connect: Connect, healthy_ledger: str, arguments: list[str], call: Call) -> None:
    connect(healthy_ledger)
    done = call(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_run(
    prefect_api: str,
    pleo: EmbeddedPleo,
    connect: Connect,
    healthy_ledger: str,
    read_only_ledger: str,
    call: Call,
) -> None:
    connect(healthy_ledger)
    job_id = pleo.create_job(items=2)
    done = as_process("run", "--fetch-only", "--json")
    assert done.returncode == 0, done.stderr
    record = last_json(done)
    assert (record["job_id"], record["stage"], record["state_name"]) == (
        job_id,
        "ITEMS_FETCHED",
        "ItemsFetched",
    )
    assert next(stage["stage"] for stage in record["stages"]) == "DETECTED"
    assert record["failure"] is None
    assert record["items"] == {"fetched": 2}

    connect(read_only_ledger)
    done = call("run", "--fetch-only", "--json", "--job-id", job_id)
    assert done.returncode == 3
    record = last_json(done)
    assert (record["stage"], record["state_name"]) == ("FAILURE_REPORTED", "ValidationFailed")
    assert set(record["failure"]) >= {"kind", "type", "reason", "remedy"}
    assert pleo.job(job_id)["status"] == "failed"

    done = call("run", "--fetch-only", "--json", "--job-id", job_id)
    assert done.returncode == 6
    assert last_json(done)["state_name"] == "AlreadyFailed"
    done = call("run", "--fetch-only", "--json")
    assert (done.returncode, last_json(done)["state_name"]) == (0, "NothingToExport")


@pytest.mark.slow
def test_no_secret_is_said(
    prefect_api: str,
    pleo: EmbeddedPleo,
    connect: Connect,
    absent_ledger: str,
    healthy_ledger: str,
    call: Call,
) -> None:
    connect(
        absent_ledger,
        PLEO__API_KEY=f"{CANARY}-key",
        ACCOUNTING__USERNAME="clerk",
        ACCOUNTING__PASSWORD=f"{CANARY}-password",
    )
    pleo.create_job(items=1)
    for arguments in (["check"], ["run", "--fetch-only"], ["connection", "save", "canary"]):
        done = as_process(*arguments, "--json")  # with all that Prefect says
        assert CANARY not in done.stdout + done.stderr
    shown = call("connection", "show", "canary", "--json")
    assert shown.returncode == 0, shown.stderr
    assert CANARY not in shown.stdout + shown.stderr
    assert last_json(shown)["connection"]["pleo"]["api_key"] == "**********"


@pytest.mark.slow
def test_a_saved_connection_runs_without_the_environment(
    prefect_api: str, pleo: EmbeddedPleo, connect: Connect, healthy_ledger: str, call: Call
) -> None:
    connect(healthy_ledger)
    assert call("connection", "save", "acme").returncode == 0
    for name in [name for name in os.environ if name.startswith("PLEO_EXPORT_")]:
        del os.environ[name]
    job_id = pleo.create_job(items=1)
    done = call("run", "--connection", "acme", "--fetch-only", "--json")
    assert done.returncode == 0, done.stderr
    assert last_json(done)["job_id"] == job_id
    assert call("connection", "save", "No Name").returncode == 2
    unknown = call("run", "--connection", "nobody", "--fetch-only", "--json")
    assert unknown.returncode == 2
    assert "nobody" in last_json(unknown)["message"]
