"""The receiver of webhooks, and the command that subscribes, leave no secret anywhere either."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient

from adapters.pleo.sandbox.server import EmbeddedPleo
from tests.flows.webhooks import idle_deployment, receiver
from tests.secrets.conftest import SECRET, WEBHOOK_SECRET, Place, left
from tests.secrets.traces import Traces
from tests.support.deliveries import Delivery, new_secret

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


def settings(pleo: EmbeddedPleo, **changes: str) -> dict[str, str]:
    usual = {
        "COMPANY_ID": str(pleo.company_id),
        "PLEO__BASE_URL": pleo.base_url,
        "PLEO__API_KEY": pleo.api_key,
        "ACCOUNTING__SYSTEM": "faulty",
    }
    return {f"PLEO_EXPORT_{name}": value for name, value in {**usual, **changes}.items()}


def basic(password: str) -> dict[str, str | None]:
    return {"authorization": "Basic " + base64.b64encode(f"pleo:{password}".encode()).decode()}


def test_deliveries_of_every_kind(place: Place, traces: Traces) -> None:
    log = place.inside / "webhook.log"
    with EmbeddedPleo() as pleo:
        secret = settings(pleo, PLEO__WEBHOOK_SECRET=WEBHOOK_SECRET, PLEO__WEBHOOK_BASIC=f"pleo:{SECRET}")
        with SyncPrefectClient(api=place.environment["PREFECT_API_URL"]) as client:
            idle_deployment(client, "secrets")
        good = Delivery(company_id=str(pleo.company_id), secret=WEBHOOK_SECRET)
        told = Delivery(company_id=str(pleo.company_id), secret=WEBHOOK_SECRET, raw=SECRET.encode())
        forged = Delivery(company_id=str(pleo.company_id), secret=new_secret("forged"), message_id=SECRET)
        with receiver(
            log, "--deployment", "export-job/secrets", environment={**place.environment, **secret}
        ) as receiving:
            assert good.post(receiving.url, changes=basic("wrong")).status_code == 401
            assert good.post(receiving.url).status_code == 401
            assert forged.post(receiving.url, changes=basic(SECRET)).status_code == 401
            assert told.post(receiving.url, changes=basic(SECRET)).status_code in {204, 400, 422}
            assert good.post(receiving.url, changes=basic(SECRET)).status_code in {204, 503}
            health = httpx.get(f"{receiving.base_url}/health", trust_env=False)
    assert log.read_text(), "it says something"
    assert traces.inside(health.content) == set()
    assert left(place, traces) == {}


def test_a_subscription_whose_secret_was_just_made(place: Place, traces: Traces) -> None:
    program = str(Path(sys.executable).with_name("pleo-export"))
    url = "https://exports.example/webhook"
    with EmbeddedPleo() as pleo:
        saved = place.command(program, "connection", "save", "acme", **settings(pleo))
        assert saved.returncode == 0, saved.stderr
        said = b""
        for words in (("subscribe", "--url", url), ("subscribe", "--url", url), ("status",)):
            done = place.command(program, "webhook", *words, "--connection", "acme", "--json")
            assert done.returncode == 0, done.stderr
            said += done.stdout + done.stderr
        with httpx.Client(base_url=pleo.base_url, auth=(pleo.api_key, ""), trust_env=False) as api:
            [subscription] = api.get("/v1/subscriptions").json()["data"]
            made = api.get(f"/v1/subscriptions/{subscription['id']}/secret").json()["data"]["secretKey"]
    assert b'"secret_known": true' in said or b'"secret_known":true' in said
    its_own = Traces({"the made one": made})
    assert its_own.inside(said) == set()
    assert left(place, its_own) == left(place, traces) == {}
