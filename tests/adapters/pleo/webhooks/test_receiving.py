"""What the receiver takes and what it refuses, over real HTTP (L103-L110)."""

from __future__ import annotations

import base64
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.adapters.pleo.webhooks.receiving import Receiving, company
from tests.support.deliveries import COMPANY, SECRET, SENDER, Delivery, new_secret

OTHER = "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10"


@pytest.fixture(scope="module")
def shared() -> Iterator[Receiving]:
    with Receiving() as receiver:
        yield receiver


@pytest.fixture
def receiving(shared: Receiving) -> Receiving:
    shared.started.clear()
    return shared


def told(receiving: Receiving) -> Counter[str]:
    """All that the receiver has counted so far."""
    health = receiving.health()
    return Counter(health.pop("refused")) + Counter({k: n for k, n in health.items() if isinstance(n, int)})


def test_a_signed_delivery_starts_the_run_of_its_job(receiving: Receiving) -> None:
    delivery = Delivery()
    answer = delivery.post(receiving.url)
    assert (answer.status_code, answer.content) == (204, b"")
    assert receiving.started == [delivery.job_id]
    again = Delivery().post(f"{receiving.url}/{COMPANY}")
    assert again.status_code == 204
    assert len(receiving.started) == 2


BAD: dict[str, tuple[Delivery, dict[str, str | None], tuple[int, str]]] = {
    "no signature": (Delivery(), {"webhook-signature": None}, (401, "UNSIGNED")),
    "no id": (Delivery(), {"webhook-id": None}, (401, "UNSIGNED")),
    "endless id": (Delivery(), {"webhook-id": "m" * 300}, (401, "UNSIGNED")),
    "no timestamp": (Delivery(), {"webhook-timestamp": None}, (401, "UNSIGNED")),
    "timestamp nan": (Delivery(), {"webhook-timestamp": "nan"}, (401, "UNSIGNED")),
    "timestamp too long": (Delivery(), {"webhook-timestamp": "9" * 13}, (401, "UNSIGNED")),
    "version alone": (Delivery(), {"webhook-signature": "v1"}, (401, "UNSIGNED")),
    "empty signature": (Delivery(), {"webhook-signature": "v1,"}, (401, "FORGED")),
    "not base64": (Delivery(), {"webhook-signature": "v1,not base64"}, (401, "FORGED")),
    "another version": (Delivery(), {"webhook-signature": "v2," + "A" * 44}, (401, "FORGED")),
    "another id": (Delivery(), {"webhook-id": "msg_other"}, (401, "FORGED")),
    "too old": (Delivery(age=310), {}, (401, "OUT_OF_TIME")),
    "too new": (Delivery(age=-310), {}, (401, "OUT_OF_TIME")),
    "another secret": (Delivery(secret=new_secret("someone else")), {}, (401, "FORGED")),
    "another company": (Delivery(company_id=OTHER), {}, (403, "OTHER_COMPANY")),
    "not JSON": (Delivery(raw=b"{"), {}, (400, "UNREADABLE")),
    "deep": (Delivery(raw=b"[" * 60_000), {}, (400, "UNREADABLE")),
    "another form": (
        Delivery(raw=b'{"eventType":"v1.export-job.created","data":{"id":1}}'),
        {},
        (400, "UNREADABLE"),
    ),
    "no data": (Delivery(raw=b'{"eventType":"v1.export-job.created"}'), {}, (400, "UNREADABLE")),
    "job without a UUID": (Delivery(job_id="no-uuid"), {}, (400, "UNREADABLE")),
}


@pytest.mark.parametrize(("bad", "changes", "refused"), BAD.values(), ids=BAD.keys())
def test_what_is_refused_and_that_the_next_one_is_taken(
    receiving: Receiving, bad: Delivery, changes: dict[str, str | None], refused: tuple[int, str]
) -> None:
    before = told(receiving)
    answer = bad.post(receiving.url, changes=changes)
    assert (answer.status_code, answer.json()["type"]) == refused
    assert receiving.started == []
    assert told(receiving) - before == {refused[1]: 1}
    good = Delivery()
    assert good.post(receiving.url).status_code == 204
    assert receiving.started == [good.job_id]


def test_the_signature_covers_the_raw_bytes(receiving: Receiving) -> None:
    delivery = Delivery()
    spaced = delivery.body.replace(b":", b": ")
    assert delivery.post(receiving.url, content=spaced).json()["type"] == "FORGED"
    assert delivery.post(receiving.url, content=b"\xff" + delivery.body).json()["type"] == "FORGED"
    assert delivery.post(receiving.url).status_code == 204


def test_the_published_vector_of_the_rules_is_too_old_but_well_formed(receiving: Receiving) -> None:
    """L107's own vector: its moment has passed, which is what is said, not that it is malformed."""
    headers: dict[str, str | None] = {
        "webhook-id": "msg_2aBcD3eFgH4iJkL5mNoP6qRs",
        "webhook-timestamp": "1772439300",
        "webhook-signature": "v1,pq+d1POCwNjQHn+do2RdBi28mjBa0KROcmQJ95y/BmI=",
    }
    assert Delivery().post(receiving.url, changes=headers).json()["type"] == "OUT_OF_TIME"


def test_events_of_another_type_are_taken_and_start_nothing(receiving: Receiving) -> None:
    # U49
    before = told(receiving)
    assert Delivery(event_type="v1.vendor.created").post(receiving.url).status_code == 204
    assert (receiving.started, told(receiving) - before) == ([], {"ignored": 1})


def test_each_company_has_its_own_path_and_secret() -> None:
    theirs = new_secret("theirs")
    with Receiving([company(), company(OTHER, [theirs])]) as receiving:
        mine, other = Delivery(), Delivery(company_id=OTHER, secret=theirs)
        assert mine.post(receiving.url).json()["type"] == "UNKNOWN_COMPANY", "which one is not said"
        assert mine.post(f"{receiving.url}/{uuid4()}").json()["type"] == "UNKNOWN_COMPANY"
        assert mine.post(f"{receiving.url}/{OTHER}").json()["type"] == "FORGED"
        assert replace(other, company_id=COMPANY).post(f"{receiving.url}/{OTHER}").status_code == 403
        assert mine.post(f"{receiving.url}/{COMPANY}").status_code == 204
        assert other.post(f"{receiving.url}/{OTHER}").status_code == 204
        assert receiving.started == [mine.job_id, other.job_id]


def test_basic_credentials_are_a_second_lock() -> None:
    # U46: neither lock opens without the other
    with Receiving([company(basic="pleo:second-lock")]) as receiving:
        given = "Basic " + base64.b64encode(b"pleo:second-lock").decode()
        wrong = "Basic " + base64.b64encode(b"pleo:guessed").decode()
        assert Delivery().post(receiving.url).json()["type"] == "NO_CREDENTIALS"
        assert Delivery().post(receiving.url, changes={"authorization": wrong}).status_code == 401
        forged = Delivery(secret=new_secret("someone else"))
        assert forged.post(receiving.url, changes={"authorization": given}).json()["type"] == "FORGED"
        assert receiving.started == []
        assert Delivery().post(receiving.url, changes={"authorization": given}).status_code == 204


def test_either_of_two_secrets_is_good_while_one_replaces_the_other() -> None:
    new = new_secret("the new one")
    with Receiving([company(secrets=[SECRET, new])]) as receiving:
        assert Delivery().post(receiving.url).status_code == 204
        assert Delivery(secret=new).post(receiving.url).status_code == 204
        both = Delivery()
        signatures = (
            replace(both, secret=new_secret("third")).headers["webhook-signature"],
            both.headers["webhook-signature"],
        )
        joined: dict[str, str | None] = {"webhook-signature": " ".join(signatures)}
        assert both.post(receiving.url, changes=joined).status_code == 204


@pytest.mark.parametrize("same", ["webhook-id", "eventId", "job"])
def test_a_repeat_is_taken_and_starts_nothing(receiving: Receiving, same: str) -> None:
    first = Delivery()
    repeat: dict[str, Delivery] = {
        "webhook-id": first,
        "eventId": replace(first, message_id="msg_another"),
        "job": Delivery(job_id=first.job_id),
    }
    before = told(receiving)
    assert first.post(receiving.url).status_code == 204
    assert repeat[same].post(receiving.url).status_code == 204
    assert receiving.started == [first.job_id]
    assert told(receiving) - before == {"started": 1, "repeated": 1}


def test_what_could_not_be_started_is_delivered_again(receiving: Receiving) -> None:
    receiving.fails = 1
    delivery = Delivery()
    refused = delivery.post(receiving.url)
    assert (refused.status_code, refused.json()["type"]) == (503, "LATER")
    assert refused.headers["retry-after"]
    assert receiving.started == []
    assert delivery.post(receiving.url).status_code == 204
    assert receiving.started == [delivery.job_id]


def test_a_slow_start_is_answered_in_time_and_not_begun_twice() -> None:
    with Receiving(seconds=1.5) as receiving:
        delivery = Delivery()
        begun = time.monotonic()
        assert delivery.post(receiving.url).status_code == 503
        assert time.monotonic() - begun < 1.0
        assert delivery.post(receiving.url).status_code == 204, "it had gone on, and was waited for"
        assert receiving.started == [delivery.job_id]


def test_a_thousand_deliveries_repeated_and_shuffled_start_each_job_once() -> None:
    jobs = [Delivery() for _ in range(100)]
    deliveries = jobs * 10
    random.Random(7).shuffle(deliveries)
    with Receiving(seconds=0.01, fails=20) as receiving, ThreadPoolExecutor(16) as senders:
        answers = list(senders.map(lambda each: each.post(receiving.url).status_code, deliveries))
        assert set(answers) <= {204, 503}
        for job in jobs:  # as Pleo does with what was answered 503
            assert job.post(receiving.url).status_code == 204
        assert Counter(receiving.started) == Counter(job.job_id for job in jobs)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhook", 405),
        ("PUT", "/webhook", 405),
        ("POST", "/health", 405),
        ("POST", "/webhook/", 404),
        ("POST", "/webhook/no-uuid", 404),
        ("GET", "/", 404),
        ("POST", "/webhook/../health", 405),
    ],
)
def test_other_paths_and_methods(receiving: Receiving, method: str, path: str, status: int) -> None:
    answer = SENDER.request(method, receiving.origin + path)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert Delivery().post(receiving.url).status_code == 204


def test_health_of_a_receiver_that_has_just_begun() -> None:
    with Receiving() as receiving:
        nothing = {"started": 0, "repeated": 0, "ignored": 0, "refused": {}}
        assert receiving.health() == {"status": "ok", "companies": 1, **nothing}
