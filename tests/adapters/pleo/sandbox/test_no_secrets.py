"""What the embedded Pleo tells about its clients never holds a credential (rule of the house: no secrets)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.routing import Route

from adapters.pleo.sandbox import EmbeddedPleo
from adapters.pleo.sandbox.control import Control
from adapters.pleo.sandbox.control_api import control_routes
from tests.adapters.pleo.sandbox.calls import bearer, caller, export_items, refusal

HOOK_PASSWORD = "hook-pass-1f4e"
URL_PASSWORD = "url-pass-77ab"
HOOK_HEADER = "hook-header-9c2d"


def busy_client(pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client) -> Iterator[str]:
    """Send every secret that there is to where it belongs, and give each."""
    yield pleo.api_key
    job_id = pleo.create_job(20, types={"card_purchase": 1})
    link = next(item["files"][0]["url"] for item in export_items(api, job_id).values() if item["files"])
    assert anyone.get(link).status_code == 200
    yield link.partition("signature=")[2]
    hook = {
        "endpointUrl": f"http://hook:{URL_PASSWORD}@127.0.0.1:9/",
        "eventTypes": ["v1.export-job.created"],
        "customHeaders": {"X-Key": HOOK_HEADER},
        "endpointAuth": {"type": "BASIC", "credentials": {"username": "hook", "password": HOOK_PASSWORD}},
    }
    subscription = api.post("/v1/subscriptions", json=hook).json()["data"]
    api.put(f"/v1/subscriptions/{subscription['id']}", json=hook)
    yield from (HOOK_PASSWORD, HOOK_HEADER, URL_PASSWORD)
    yield api.get(f"/v1/subscriptions/{subscription['id']}/secret").json()["data"]["secretKey"]
    pleo.create_job(1, allow_second=True)
    form = {"grant_type": "refresh_token", "refresh_token": pleo.refresh_token}
    pair = anyone.post("/oauth/token", data=form, auth=(pleo.client_id, pleo.client_secret)).json()
    anyone.post("/oauth/token", json=form, auth=(pleo.client_id, pleo.client_secret))
    anyone.get("/v3/export-jobs", headers=bearer(pair["access_token"]))
    yield from (pleo.refresh_token, pleo.client_secret, pair["access_token"], pair["refresh_token"])


def told(pleo: EmbeddedPleo, anyone: httpx.Client) -> str:
    """Everything that the control API can be asked for, by its own list of routes."""
    routes = control_routes(Control.__new__(Control))
    paths = [_fill(route, pleo) for route in routes if "GET" in (route.methods or ())]
    answers = [anyone.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    return "".join(answer.text for answer in answers)


def _fill(route: Route, pleo: EmbeddedPleo) -> str:
    return route.path.replace("{id}", pleo.jobs()[-1]["id"])


def test_no_record_and_no_control_answer_holds_a_credential(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client
) -> None:
    secrets = list(busy_client(pleo, api, anyone))
    everything = told(pleo, anyone)
    assert all(len(secret) > 10 for secret in secrets)
    assert [secret for secret in secrets if secret in everything] == []
    for trace in ("/oauth/token", "/v1/subscriptions", "/_sandbox/files/", "***"):
        assert trace in everything, "the calls themselves are on record"


def test_what_is_masked_was_still_understood(
    pleo: EmbeddedPleo, api: httpx.Client, anyone: httpx.Client
) -> None:
    list(busy_client(pleo, api, anyone))
    created = pleo.requests(operation="createSubscription")[0]["body"]
    assert created["endpointAuth"] == created["customHeaders"] == "***"
    assert created["eventTypes"] == ["v1.export-job.created"]
    assert created["endpointUrl"] == pleo.deliveries()[0]["endpointUrl"] == "http://***@127.0.0.1:9/"
    file = next(each for each in pleo.requests() if each["path"].startswith("/_sandbox/files/"))
    assert dict(file["query"])["signature"] == "***" and dict(file["query"])["expires"].isdigit()
    kinds = [(each["path"], each["credential"], each["authorized"]) for each in pleo.requests()]
    assert ("/oauth/token", None, True) in kinds and ("/v3/export-jobs", "access_token", True) in kinds


@pytest.mark.parametrize("credential", ["key-typed-wrong-77", "Bearer-typed-wrong"])
def test_a_refused_credential_is_not_repeated_to_anyone(
    pleo: EmbeddedPleo, anyone: httpx.Client, credential: str
) -> None:
    with caller(pleo, auth=(credential, "")) as stranger:
        answer = stranger.get("/v3/export-jobs")
    assert refusal(answer)[0] == 401 and credential not in answer.text
    assert anyone.get("/v3/export-jobs", headers=bearer(credential)).status_code == 401
    record = anyone.get("/_sandbox/requests").text
    assert credential not in record and '"authorized":true' in record
