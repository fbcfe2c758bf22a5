"""`pleo-export plan`: it says what a run would do, and does nothing itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import free_port
from tests.flows.commands import Ended, last_json
from tests.flows.exports import BOOKS, make_job
from tests.support.fava_server import FavaServer

Plan = Callable[..., Ended]
EARLIER = "3f0a7c52-5a53-4d53-9a51-0d6f7a2b9c11"
"""An entry that is in the books before any job."""

IN_THE_BOOKS = f"""
2026-01-05 * "Shop" "Lamp" ^pleo-{EARLIER}
  Expenses:Travel      12.00 EUR
  Assets:Pleo:Wallet  -12.00 EUR
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FavaServer]:
    file = tmp_path_factory.mktemp("planned") / "books.beancount"
    file.write_text(BOOKS + IN_THE_BOOKS)
    with FavaServer(file) as server:
        yield server


@pytest.fixture
def plan(
    connect: Callable[..., None],
    call: Callable[..., Ended],
    ledger: FavaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Plan:
    """Run the command with a connection to the ledger, or to another address."""
    monkeypatch.setenv("COLUMNS", "200")

    def planned(*arguments: str, address: str = ledger.url) -> Ended:
        connect(address, ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees")
        return call("plan", *arguments)

    return planned


def job_of_each_kind(pleo: EmbeddedPleo) -> str:
    """Two items to be booked, one that is in the books, one that cannot be booked."""
    return make_job(
        pleo,
        4,
        types={"card_purchase": 1},
        overrides={"2": {"accountingEntryId": EARLIER}},
        without_account=[3],
    )


def writes(pleo: EmbeddedPleo) -> list[tuple[str, str]]:
    return [(each["method"], each["path"]) for each in pleo.requests() if each["method"] != "GET"]


def files(ledger: FavaServer) -> dict[Path, tuple[bytes, int]]:
    """Every file of the ledger's folder, to the byte, and when it was written."""
    found = sorted(path for path in ledger.ledger.parent.rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_what_would_become_of_each_item(pleo: EmbeddedPleo, plan: Plan, ledger: FavaServer) -> None:
    job_id = job_of_each_kind(pleo)
    before, job = files(ledger), pleo.job(job_id)
    done = plan("--json")
    assert done.returncode == 0, done.stderr
    record = last_json(done)
    assert (record["job_id"], record["failure"]) == (job_id, None)
    assert record["counts"] == {"to be booked": 2, "booked before": 1, "failed": 1}
    rows = {row["item"]: row for row in record["items"]}
    items = pleo.job(job_id)["items"]
    assert set(rows) == {item["accountingEntryId"] for item in items}
    assert rows[EARLIER]["result"] == "booked before"
    assert EARLIER in rows[EARLIER]["entry or reason"], "the link to the entry"
    (failed,) = (row for row in rows.values() if row["result"] == "failed")
    assert "provide account" in failed["entry or reason"]
    for row in (row for row in rows.values() if row["result"] == "to be booked"):
        assert row["amount"].endswith(" EUR")
        assert row["debit / credit"].endswith(" / Assets:Pleo:Wallet")
        assert row["entry or reason"] == ""
    assert writes(pleo) == [], "the job is not started"
    assert pleo.job(job_id) == job
    assert files(ledger) == before


def test_what_would_be_booked_once_more(pleo: EmbeddedPleo, plan: Plan, ledger: FavaServer) -> None:
    job_id = job_of_each_kind(pleo)
    before = files(ledger)
    done = plan("--job-id", job_id, "--rebook", "--json")
    assert done.returncode == 0, done.stderr
    record = last_json(done)
    assert record["counts"] == {"to be booked": 2, "to be booked again": 1, "failed": 1}
    (row,) = (row for row in record["items"] if row["result"] == "to be booked again")
    assert row["item"] == EARLIER
    assert EARLIER in row["warning"], "the entry that is there"
    assert (writes(pleo), files(ledger)) == ([], before)
    refused = plan("--rebook")
    assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (2, 1)
    assert "--job-id" in refused.stderr
    assert last_json(plan("--json"))["counts"] == {"to be booked": 2, "booked before": 1, "failed": 1}


def test_the_table_for_a_person(pleo: EmbeddedPleo, plan: Plan, ledger: FavaServer) -> None:
    job_id = job_of_each_kind(pleo)
    before = files(ledger)
    done = plan("--job-id", job_id)
    assert done.returncode == 0, done.stderr
    assert f"Plan of job {job_id}" in done.stdout
    for words in ("to be booked", "booked before", "failed"):
        assert words in done.stdout
    assert (writes(pleo), files(ledger)) == ([], before)


def test_a_job_in_progress_shows_what_is_left_of_it(pleo: EmbeddedPleo, plan: Plan) -> None:
    job_id = make_job(pleo, 3, status="in_progress", item_statuses={"1": "successful"})
    record = last_json(plan("--json"))
    assert (record["job_id"], record["counts"]) == (job_id, {"to be booked": 2})
    assert writes(pleo) == []


def test_no_job(pleo: EmbeddedPleo, plan: Plan) -> None:
    done = plan("--json")
    assert done.returncode == 0, done.stderr
    assert last_json(done) == {"job_id": None, "items": [], "counts": {}, "failure": None}
    assert "No job" in plan().stdout
    job_id = make_job(pleo, 1, item_statuses={"1": "failed"}, status="in_progress")
    assert f"Job {job_id} has no item left to book." in plan().stdout


def test_a_job_that_pleo_does_not_know(pleo: EmbeddedPleo, plan: Plan) -> None:
    done = plan("--job-id", str(uuid4()), "--json")
    assert done.returncode == 3
    record = last_json(done)
    assert (record["job_id"], record["failure"]["kind"]) == (None, "pleo_job_unknown")
    assert record["failure"]["cause"] in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    job_id = make_job(pleo, 1)
    assert plan("--job-id", job_id).returncode == 0
    assert plan("--job-id", "no-uuid").returncode == 2


def test_a_system_that_cannot_be_asked(pleo: EmbeddedPleo, plan: Plan) -> None:
    job_id = make_job(pleo, 1)
    done = plan("--json", address=f"http://127.0.0.1:{free_port()}/books")
    assert done.returncode == 3
    record = last_json(done)
    assert (record["items"], record["failure"]["kind"]) == ([], "connection_refused")
    assert record["failure"]["remedy"]
    assert record["failure"]["cause"] in done.stderr.replace("\n", " ")
    assert (writes(pleo), pleo.job(job_id)["status"]) == ([], "pending"), "nor is the job failed"
    assert plan().returncode == 0


@pytest.mark.slow
def test_a_pleo_that_cannot_be_asked(pleo: EmbeddedPleo, plan: Plan) -> None:
    make_job(pleo, 1)
    pleo.inject(kind="answer", operation="listExportItems", status=401, times=None)
    done = plan("--json")
    assert done.returncode == 3
    assert last_json(done)["failure"]["kind"] == "pleo_credentials_refused"
    pleo.clear_faults()
    assert plan().returncode == 0


def test_a_missing_setting_is_one_sentence(
    pleo: EmbeddedPleo,
    connect: Callable[..., None],
    call: Callable[..., Ended],
    plan: Plan,
    ledger: FavaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(ledger.url)
    monkeypatch.delenv("PLEO_EXPORT_ACCOUNTING__URL")
    done = call("plan")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "PLEO_EXPORT_ACCOUNTING__URL" in done.stderr
    assert pleo.requests() == []
    assert plan().returncode == 0


def test_it_does_not_import_prefect(
    pleo: EmbeddedPleo, connect: Callable[..., None], ledger: FavaServer
) -> None:
    job_id = make_job(pleo, 1)
    connect(ledger.url)
    script = (
        "import sys; from flows.cli import main\n"
        "try: main(['plan', '--json'])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'prefect']"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["job_id"] == job_id
