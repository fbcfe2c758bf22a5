"""`pleo-export webhook` as a process: from Pleo's signed deliveries to runs of a real Prefect."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import get_client

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import free_port
from tests.flows.commands import PROGRAM, in_process
from tests.flows.deploying import prefect, worker
from tests.flows.webhooks import idle_deployment, only_run, receiver, redeliver, runs_of
from tests.support.deliveries import SECRET, SENDER, Delivery, new_secret

Connect = Callable[..., None]


@pytest.fixture
def hooked(connect: Connect, absent_ledger: str, pleo: EmbeddedPleo) -> Callable[..., None]:
    """Put a connection with a webhook's secret into the environment."""

    def apply(**changes: str) -> None:
        connect(absent_ledger, **{"PLEO__WEBHOOK_SECRET": SECRET, **changes})

    return apply


def delivery(pleo: EmbeddedPleo) -> Delivery:
    return Delivery(company_id=str(pleo.company_id))


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_a_thousand_deliveries_start_each_job_once_across_a_restart(
    prefect_api: str, pleo: EmbeddedPleo, hooked: Callable[..., None], tmp_path: Path
) -> None:
    hooked()
    with get_client(sync_client=True) as client:
        deployment_id = idle_deployment(client, "thousand")
    jobs = [delivery(pleo) for _ in range(25)]
    deliveries = jobs * 40
    random.Random(7).shuffle(deliveries)
    answers: Counter[int] = Counter()
    log = tmp_path / "receiver.log"
    for half in (deliveries[:500], deliveries[500:]):
        with (
            receiver(log, "--deployment", "export-job/thousand") as receiving,
            ThreadPoolExecutor(16) as senders,
        ):
            answers += Counter(senders.map(lambda each: each.post(receiving.url).status_code, half))
            for job in jobs:  # as Pleo does with what was answered 503
                redeliver(job, receiving.url)
    assert set(answers) <= {204, 503}, log.read_text()
    runs = runs_of(deployment_id)
    assert sorted(run.parameters["job_id"] for run in runs) == sorted(job.job_id for job in jobs)
    assert all("connection" not in run.parameters for run in runs)
    assert SECRET not in log.read_text()


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_bad_requests_leave_memory_log_and_runs_as_they_were(
    prefect_api: str, pleo: EmbeddedPleo, hooked: Callable[..., None], tmp_path: Path
) -> None:
    hooked()
    with get_client(sync_client=True) as client:
        deployment_id = idle_deployment(client, "flooded")
    forged = [Delivery(company_id=str(pleo.company_id), secret=new_secret("forged")) for _ in range(10)]
    log = tmp_path / "receiver.log"
    with receiver(log, "--deployment", "export-job/flooded") as receiving, ThreadPoolExecutor(8) as senders:
        process = psutil.Process(receiving.process.pid)

        def flood(number: int) -> set[int]:
            return set(senders.map(lambda n: forged[n % 10].post(receiving.url).status_code, range(number)))

        assert flood(200) == {401}
        before = process.memory_info().rss
        assert flood(1000) == {401}
        assert process.memory_info().rss - before < 5 * 1024 * 1024
        assert len(log.read_text().splitlines()) <= 3
        good = delivery(pleo)
        redeliver(good, receiving.url)
        assert SENDER.get(f"{receiving.base_url}/health").json()["refused"] == {"FORGED": 1200}
    assert [run.parameters["job_id"] for run in runs_of(deployment_id)] == [good.job_id]


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_while_prefect_is_away_pleo_is_asked_to_deliver_again(
    prefect_api: str,
    pleo: EmbeddedPleo,
    hooked: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooked()
    with get_client(sync_client=True) as client:
        deployment_id = idle_deployment(client, "away")
    job, log, port = delivery(pleo), tmp_path / "receiver.log", str(free_port())
    with monkeypatch.context() as away:
        away.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
        with receiver(log, "--deployment", "export-job/away", "--port", port) as receiving:
            begun = time.monotonic()
            assert job.post(receiving.url).status_code == 503
            assert time.monotonic() - begun < 2
        away.delenv("PREFECT_API_URL")
        done = subprocess.run([PROGRAM, "webhook"], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr.splitlines()[0].split()[0]) == (2, "PREFECT_API_URL")
    assert "Prefect does not answer" in log.read_text()
    with receiver(log, "--deployment", "export-job/away", "--port", port) as receiving:
        redeliver(job, receiving.url)
    assert [run.parameters["job_id"] for run in runs_of(deployment_id)] == [job.job_id]


def test_a_deployment_that_was_made_anew_is_found(
    prefect_api: str, pleo: EmbeddedPleo, hooked: Callable[..., None], tmp_path: Path
) -> None:
    hooked()
    with get_client(sync_client=True) as client:
        first = idle_deployment(client, "anew")
        with receiver(tmp_path / "log", "--deployment", "export-job/anew") as receiving:
            redeliver(delivery(pleo), receiving.url)
            client._client.delete(f"/deployments/{first}").raise_for_status()
            lost = delivery(pleo)
            assert lost.post(receiving.url).status_code == 503
            for _ in range(100):  # a start that takes longer than the answer goes on
                if "Prefect has no deployment" in receiving.log.read_text():
                    break
                time.sleep(0.1)
            assert "Prefect has no deployment" in receiving.log.read_text()
            second = idle_deployment(client, "anew")
            assert second != first
            redeliver(lost, receiving.url)
    assert [run.parameters["job_id"] for run in runs_of(second)] == [lost.job_id]


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_saved_connections_are_served_side_by_side(
    prefect_api: str,
    pleo: EmbeddedPleo,
    hooked: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other, theirs = "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10", new_secret("theirs")
    for name, changes in {
        "mine": {},
        "twin": {},
        "other": {"COMPANY_ID": other, "PLEO__WEBHOOK_SECRET": theirs},
    }.items():
        hooked(**changes)
        subprocess.run([PROGRAM, "connection", "save", name], check=True, capture_output=True, timeout=60)
    for name in [name for name in os.environ if name.startswith("PLEO_EXPORT_")]:
        del os.environ[name]
    with get_client(sync_client=True) as client:
        deployment_id = idle_deployment(client, "several")
    options = ["--deployment", "export-job/several", "--connection", "mine"]
    with receiver(tmp_path / "log", *options, "--connection", "other") as receiving:
        first, second = delivery(pleo), Delivery(company_id=other, secret=theirs)
        redeliver(first, f"{receiving.url}/{first.company_id}")
        redeliver(second, f"{receiving.url}/{other}")
        assert second.post(f"{receiving.url}/{first.company_id}").status_code == 401
    assert {run.parameters["job_id"]: run.parameters["connection"] for run in runs_of(deployment_id)} == {
        first.job_id: "mine",
        second.job_id: "other",
    }
    twice = in_process(capsys, "webhook", *options, "--connection", "twin", "--port", "0")
    assert (twice.returncode, "same company" in twice.stderr) == (2, True)


def test_what_keeps_it_from_serving_is_one_sentence(
    prefect_api: str,
    pleo: EmbeddedPleo,
    hooked: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(*arguments: str) -> str:
        done = in_process(capsys, "webhook", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    hooked(PLEO__WEBHOOK_SECRET="")
    assert "PLEO_EXPORT_PLEO__WEBHOOK_SECRET" in refused()
    hooked(PLEO__WEBHOOK_SECRET="whsec_")
    assert "PLEO_EXPORT_PLEO__WEBHOOK_SECRET" in refused()
    hooked(PLEO__WEBHOOK_BASIC="canary")
    text = refused()
    assert "PLEO_EXPORT_PLEO__WEBHOOK_BASIC" in text and "canary" not in text
    hooked()
    del os.environ["PLEO_EXPORT_PLEO__WEBHOOK_BASIC"]
    for missing in ("export-job/nowhere", "no-slash"):
        assert "no deployment" in refused("--deployment", missing)
    assert "nobody" in refused("--connection", "nobody")
    with get_client(sync_client=True) as client:
        idle_deployment(client, "sentences")
    port = prefect_api.split(":")[2].split("/", maxsplit=1)[0]
    assert "--port" in refused("--deployment", "export-job/sentences", "--port", port)
    assert "--host" in refused("--deployment", "export-job/sentences", "--host", "no-such-host.invalid")


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_from_the_click_in_pleo_to_the_books(
    prefect_api: str,
    pleo: EmbeddedPleo,
    connect: Connect,
    healthy_ledger: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connect(healthy_ledger, WITHOUT_RECEIPT="book")
    port = free_port()
    env_file = tmp_path / "hook.env"
    subscribed = in_process(
        capsys,
        "webhook",
        "subscribe",
        "--url",
        f"http://127.0.0.1:{port}/webhook",
        "--env-file",
        str(env_file),
        "--json",
    )
    assert subscribed.returncode == 0, subscribed.stderr
    os.environ.update(dict([env_file.read_text().strip().replace("'", "").split("=", 1)]))
    log = tmp_path / "receiver.log"
    prefect("work-pool", "create", "webhook-pool", "--type", "process")
    flow = "flows/export_job.py:export_job"
    prefect("deploy", flow, "--name", "from-webhook", "--pool", "webhook-pool")
    try:
        with (
            worker(tmp_path / "worker.log", "webhook-pool"),
            receiver(log, "--deployment", "export-job/from-webhook", "--port", str(port)),
        ):
            job_id = pleo.create_job(
                items=3,
                accounts=["Expenses:Travel"],
                contra_account="Assets:Pleo",
                types={"card_purchase": 1},
            )
            run = only_run("export-job/from-webhook", 200)
    finally:
        del os.environ["PLEO_EXPORT_PLEO__WEBHOOK_SECRET"]
    assert run.state and run.state.name == "Exported", run.state
    assert run.parameters["job_id"] == job_id
    assert pleo.job(job_id)["status"] == "completed"
    assert [each["state"] for each in pleo.deliveries()] == ["delivered"], log.read_text()
