"""Webhooks: a real receiver gets signed deliveries, again when it fails, and verifies them (L103-L107)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.pleo.sandbox import EmbeddedPleo, SandboxSettings
from adapters.pleo.sandbox.subscriptions import Subscription
from adapters.pleo.sandbox.webhooks import signed_headers
from tests.adapters.pleo.sandbox.calls import caller, refusal
from tests.adapters.pleo.sandbox.receiver import Receiver
from tests.support import steps
from tests.support.ports import free_port
from tests.support.scripted_server import ScriptedServer

EVENT = "v1.export-job.created"
Subscribe = Callable[..., dict[str, Any]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def subscribe(api: httpx.Client, receiver: Receiver) -> Subscribe:
    def create(**fields: Any) -> dict[str, Any]:
        order = {"endpointUrl": receiver.url, "eventTypes": [EVENT], **fields}
        answer = api.post("/v1/subscriptions", json=order)
        assert answer.status_code == 200, answer.text  # L103: not 201
        return dict(answer.json()["data"])

    return create


def secret_of(api: httpx.Client, subscription: dict[str, Any]) -> str:
    return str(api.get(f"/v1/subscriptions/{subscription['id']}/secret").json()["data"]["secretKey"])


def settled(pleo: EmbeddedPleo) -> list[dict[str, Any]]:
    """The deliveries, once none of them is under way any more."""
    for _ in range(250):
        deliveries = pleo.deliveries()
        if all(each["state"] != "sending" for each in deliveries):
            return deliveries
        time.sleep(0.02)
    raise AssertionError(f"still sending: {deliveries}")


def test_the_signature_is_the_one_of_the_published_scheme() -> None:
    # The vector of L107; its secret is no real one.
    subscription = Subscription(
        id="",
        number=1,
        url="",
        event_types=[],
        active=True,
        headers={},
        basic=None,
        secret="whsec_ZXhhbXBsZS1zZWNyZXQtbm90LXJlYWw=",
        created_at=0,
        updated_at=0,
    )
    body = (
        '{"data":{"companyId":"9b1f3f52-30c4-4d3e-8f0a-6b0f6ad2c901",'
        '"id":"5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10","status":"pending"},'
        '"eventId":"0f1e2d3c-4b5a-4968-8776-655443322110","eventType":"v1.export-job.created"}'
    )
    moment = datetime.fromtimestamp(1772439300, tz=UTC)
    headers = signed_headers(subscription, "msg_2aBcD3eFgH4iJkL5mNoP6qRs", moment, body)
    assert headers["webhook-signature"] == "v1,pq+d1POCwNjQHn+do2RdBi28mjBa0KROcmQJ95y/BmI="
    assert headers["webhook-timestamp"] == "1772439300"


def test_a_new_job_is_delivered_signed(
    pleo: EmbeddedPleo, api: httpx.Client, receiver: Receiver, subscribe: Subscribe
) -> None:
    secret = secret_of(api, subscribe())
    job_id = pleo.create_job(3)
    (delivery,) = settled(pleo)
    assert (delivery["state"], [each["status"] for each in delivery["attempts"]]) == ("delivered", [204])
    ((headers, body),) = receiver.got
    assert Webhook(secret).verify(body, headers) == json.loads(body) == delivery["body"]
    assert delivery["messageId"] == headers["webhook-id"]
    assert set(delivery["body"]) == {"data", "eventId", "eventType"}  # L104
    job = api.get(f"/v3/export-jobs/{job_id}").json()["data"]
    told = delivery["body"]["data"]
    assert told == {name: job[name] for name in told}
    assert {"id", "companyId", "createdAt", "expiresIn", "numberOfItems", "status"} <= set(told)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"pending", b"started"), headers)


def test_a_failed_delivery_is_repeated_under_the_same_id(
    pleo: EmbeddedPleo, api: httpx.Client, receiver: Receiver, subscribe: Subscribe
) -> None:
    receiver.answers = [500, 302]
    secret = secret_of(api, subscribe())
    pleo.create_job(1)
    (delivery,) = settled(pleo)
    assert delivery["state"] == "delivered"
    assert [each["status"] for each in delivery["attempts"]] == [500, 302, 204]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    for headers, body in receiver.got:
        Webhook(secret).verify(body, headers)


def test_a_delivery_is_given_up_and_the_next_one_is_tried_anew(
    pleo: EmbeddedPleo, receiver: Receiver, subscribe: Subscribe
) -> None:
    receiver.answers = [503, 503, 503]
    subscribe()
    pleo.create_job(1)
    assert [each["state"] for each in settled(pleo)] == ["failed"]
    pleo.create_job(1, allow_second=True)
    assert [each["state"] for each in settled(pleo)] == ["failed", "delivered"]
    assert len(receiver.got) == 4


@pytest.mark.parametrize(
    ("url", "state", "error"),
    [
        ("http://127.0.0.1:{port}/hook", "failed", "ConnectError"),
        ("http://", "failed", "UnsupportedProtocol"),
        ("ftp://127.0.0.1/hook", "refused", None),
    ],
)
def test_an_endpoint_that_is_not_there_harms_no_call(
    pleo: EmbeddedPleo, api: httpx.Client, subscribe: Subscribe, url: str, state: str, error: str | None
) -> None:
    subscribe(endpointUrl=url.format(port=free_port()))
    order = {"companyId": pleo.company_id, "accountingEntryIds": []}
    assert api.post("/v3/export-jobs", json=order).status_code == 201
    (delivery,) = settled(pleo)
    assert delivery["state"] == state
    assert {each["error"] for each in delivery["attempts"]} == ({error} if error else set())


def test_only_active_subscriptions_to_the_event_hear_of_it(
    pleo: EmbeddedPleo, api: httpx.Client, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe(status="INACTIVE")
    subscribe(eventTypes=["v1.vendor.created"])
    gone = subscribe()
    assert api.delete(f"/v1/subscriptions/{gone['id']}").status_code == 204
    assert refusal(api.get(f"/v1/subscriptions/{gone['id']}")) == (404, "NOT_FOUND")
    heard = subscribe()
    pleo.create_job(1)
    pleo.create_job(1, status="completed", allow_second=True)  # was never waiting
    assert [each["subscriptionId"] for each in settled(pleo)] == [heard["id"]]
    assert len(receiver.got) == 1


def test_basic_and_custom_headers_are_sent_but_do_not_replace_the_signature(
    pleo: EmbeddedPleo, api: httpx.Client, receiver: Receiver, subscribe: Subscribe
) -> None:
    # L105
    subscription = subscribe(
        customHeaders={"X-Mine": "yes", "Webhook-Signature": "forged"},
        endpointAuth={"type": "BASIC", "credentials": {"username": "hook", "password": "hook-pass"}},
    )
    assert subscription["endpointAuth"] == {"type": "BASIC"}, "the password is never given back"
    secret = secret_of(api, subscription)
    pleo.create_job(1)
    settled(pleo)
    ((headers, body),) = receiver.got
    assert headers["x-mine"] == "yes" and "forged" not in headers["webhook-signature"]
    assert headers["authorization"] == "Basic " + base64.b64encode(b"hook:hook-pass").decode()
    Webhook(secret).verify(body, headers)


def test_a_changed_subscription_keeps_its_secret_and_logs_the_change(
    pleo: EmbeddedPleo, api: httpx.Client, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscription = subscribe(status="INACTIVE")
    secret, path = secret_of(api, subscription), f"/v1/subscriptions/{subscription['id']}"
    changed = api.put(path, json={"endpointUrl": receiver.url, "eventTypes": [EVENT]}).json()["data"]
    assert changed["status"] == "ACTIVE" and secret_of(api, subscription) == secret
    log = api.get(f"{path}/activities").json()["data"]
    assert [each["operationType"] for each in log] == ["CREATE", "UPDATE"]
    only = api.get(f"{path}/activities", params={"operation_types": "UPDATE"}).json()["data"]
    assert only == log[1:]
    pleo.create_job(1)
    assert [each["state"] for each in settled(pleo)] == ["delivered"]


def test_subscriptions_are_listed_by_state_and_event(api: httpx.Client, subscribe: Subscribe) -> None:
    active, inactive = subscribe(), subscribe(status="INACTIVE", eventTypes=["v1.vendor.created"])

    def found(**query: str) -> list[str]:
        return [each["id"] for each in api.get("/v1/subscriptions", params=query).json()["data"]]

    assert found() == [active["id"], inactive["id"]]
    assert found(status="INACTIVE") == found(event_types="v1.vendor.created") == [inactive["id"]]
    assert found(status="ACTIVE") == found(event_types=EVENT) == [active["id"]]
    assert secret_of(api, active) != secret_of(api, inactive)


def test_a_silent_receiver_is_given_up_after_the_deadline() -> None:
    hasty = SandboxSettings(delivery_deadline_seconds=0.2, delivery_pauses_seconds=(0.0,))
    with (
        ScriptedServer() as silent,
        EmbeddedPleo(settings=hasty) as pleo,
        caller(pleo, auth=(pleo.api_key, "")) as api,
    ):
        api.post("/v1/subscriptions", json={"endpointUrl": silent.url("/hook"), "eventTypes": [EVENT]})
        silent.play(steps.never())
        silent.play_on(steps.answer(200))
        pleo.create_job(1)
        (delivery,) = settled(pleo)
    assert delivery["state"] == "delivered"
    assert [(each["status"], each["error"]) for each in delivery["attempts"]] == [
        (None, "TimeoutError"),
        (200, None),
    ]
