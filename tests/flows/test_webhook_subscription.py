"""`pleo-export webhook subscribe` and `status`: one subscription, a secret that is kept and never shown."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.environment import load_connection
from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.flows.commands import Ended, in_process

URL = "https://hooks.example/webhook"
NAME = "PLEO_EXPORT_PLEO__WEBHOOK_SECRET"
Connect = Callable[..., None]
Call = Callable[..., Ended]


@pytest.fixture
def webhook(connect: Connect, absent_ledger: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    connect(absent_ledger)
    yield lambda *arguments: in_process(capsys, "webhook", *arguments)
    os.environ.pop("PLEO_EXPORT_PLEO__WEBHOOK_BASIC", None)


def last_json(done: Ended) -> Any:
    return json.loads(done.stdout.splitlines()[-1])


def posted(pleo: EmbeddedPleo) -> list[Any]:
    return [each["status"] for each in pleo.requests(method="POST", path="/v1/subscriptions")]


def test_the_secret_goes_into_the_file_and_nowhere_else(
    pleo: EmbeddedPleo, webhook: Call, tmp_path: Path
) -> None:
    env_file = tmp_path / "hook.env"
    env_file.write_text("# mine\nPLEO_EXPORT_POSTING=final\n")
    env_file.chmod(0o644)
    done = webhook("subscribe", "--url", URL, "--env-file", str(env_file), "--json")
    assert done.returncode == 0, done.stderr
    record = last_json(done)
    assert (record["created"], record["subscription"]["status"]) == (True, "ACTIVE")
    assert record["subscription"]["url"] == URL
    kept = env_file.read_text()
    assert kept.startswith("# mine\nPLEO_EXPORT_POSTING=final\n")
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    (secret,) = load_connection(env_file).pleo.webhook_secrets
    assert secret in kept
    assert secret not in done.stdout + done.stderr

    again = webhook("subscribe", "--url", URL, "--env-file", str(env_file), "--json")
    assert (again.returncode, last_json(again)["created"]) == (0, False)
    assert last_json(again)["subscription"] == record["subscription"]
    assert posted(pleo) == [200], "not doubled"
    assert env_file.read_text() == kept


def test_without_a_file_named_it_is_the_env_file_of_the_folder(pleo: EmbeddedPleo, webhook: Call) -> None:
    assert webhook("subscribe", "--url", URL).returncode == 0
    assert load_connection().pleo.webhook_secrets
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600


def test_status_says_whether_deliveries_can_be_verified(
    pleo: EmbeddedPleo, webhook: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = webhook("status", "--json")
    assert (none.returncode, last_json(none)) == (3, {"receiving": False, "subscriptions": []})
    assert "webhook subscribe" in none.stderr
    assert webhook("subscribe", "--url", URL).returncode == 0
    fine = webhook("status", "--json")
    assert (fine.returncode, last_json(fine)["receiving"]) == (0, True)
    assert "known" in webhook("status").stdout
    monkeypatch.setenv(NAME, "whsec_" + "QUJD")
    other = webhook("status", "--json")
    assert (other.returncode, last_json(other)["subscriptions"][0]["secret_known"]) == (3, False)


def test_basic_credentials_go_to_pleo(
    pleo: EmbeddedPleo, webhook: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLEO_EXPORT_PLEO__WEBHOOK_BASIC", "pleo:canary")
    done = webhook("subscribe", "--url", URL)
    assert done.returncode == 0
    assert "canary" not in done.stdout + done.stderr + Path(".env").read_text()
    (subscription,) = pleo._world.subscriptions.by_id.values()
    assert subscription.basic == ["pleo", "canary"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "http://hooks.example/webhook",
        "ftp://127.0.0.1/",
        "https://u:canary@hooks.example/",
    ],
)
def test_a_url_that_pleo_cannot_deliver_to(pleo: EmbeddedPleo, webhook: Call, url: str) -> None:
    done = webhook("subscribe", "--url", url)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "--url" in done.stderr and "canary" not in done.stderr
    assert pleo.requests() == []
    assert webhook("subscribe", "--url", URL).returncode == 0


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "API key"), (403, "docs/webhook.md"), (404, "Pleo"), (422, "Pleo")],
)
def test_what_pleo_refuses_is_one_sentence(pleo: EmbeddedPleo, webhook: Call, status: int, says: str) -> None:
    pleo.inject(kind="answer", operation="listSubscriptions", status=status, times=1)
    done = webhook("subscribe", "--url", URL)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert says in done.stderr
    assert not Path(".env").exists()
    assert webhook("subscribe", "--url", URL).returncode == 0


def test_a_file_that_cannot_be_written_is_said_before_pleo_is_asked(
    pleo: EmbeddedPleo, webhook: Call, tmp_path: Path
) -> None:
    for place in (tmp_path, tmp_path / "no-folder" / ".env"):
        done = webhook("subscribe", "--url", URL, "--env-file", str(place))
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "--env-file" in done.stderr
    assert pleo.requests() == []


def test_the_secret_goes_into_the_saved_connection(
    prefect_api: str, pleo: EmbeddedPleo, webhook: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import main

    with pytest.raises(SystemExit):
        main(["connection", "save", "hooked"])
    done = webhook("subscribe", "--url", URL, "--connection", "hooked", "--json")
    assert done.returncode == 0, done.stderr
    assert not Path(".env").exists()
    assert "whsec_" not in done.stdout + done.stderr
    assert webhook("status", "--connection", "hooked").returncode == 0
    with pytest.raises(SystemExit):
        main(["connection", "show", "hooked"])
    shown = capsys.readouterr().out
    assert "webhook_secret" in shown and "whsec_" not in shown
