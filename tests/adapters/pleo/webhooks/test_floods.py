"""Bad requests in numbers, sizes and at paces: bounded in time, room and log, and good ones get through."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.pleo.webhooks import receiver, server, starts
from tests.adapters.pleo.webhooks.receiving import Receiving
from tests.support.deliveries import SENDER, Delivery, new_secret


@pytest.fixture
def receiving() -> Iterator[Receiving]:
    with Receiving() as receiver:
        yield receiver


def connected(receiving: Receiving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", receiving.port), timeout=15)


def reply(connection: socket.socket) -> bytes:
    """All that comes until the other side closes; a reset counts as closed."""
    got = b""
    try:
        while chunk := connection.recv(65536):
            got += chunk
    except ConnectionResetError:
        pass
    return got


def test_a_flood_of_forged_deliveries_costs_little_and_is_logged_once(
    receiving: Receiving, caplog: pytest.LogCaptureFixture
) -> None:
    forged = [Delivery(secret=new_secret("someone else")) for _ in range(20)]
    caplog.set_level(logging.INFO, "pleo_export.webhook")
    with ThreadPoolExecutor(8) as senders:
        begun = time.monotonic()
        answers = senders.map(lambda n: forged[n % 20].post(receiving.url).status_code, range(500))
        assert set(answers) == {401}
        assert time.monotonic() - begun < 10, "20 ms each on a busy machine; 2 ms are usual"
    refused = [record for record in caplog.records if "signature does not match" in record.message]
    assert len(refused) == 1, "one line a minute and reason"
    assert receiving.health()["refused"] == {"FORGED": 500}
    good = Delivery()
    assert good.post(receiving.url).status_code == 204
    assert receiving.started == [good.job_id]


def test_a_body_that_is_announced_too_large_is_not_read(receiving: Receiving) -> None:
    with connected(receiving) as connection:
        connection.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            % (receiver.MOST_BODY_BYTES + 1)
        )
        assert reply(connection).startswith(b"HTTP/1.1 413 ")
    assert Delivery().post(receiving.url).status_code == 204


def test_a_body_that_never_ends_is_read_up_to_the_cap(receiving: Receiving) -> None:
    delivery = Delivery()

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 65536

    with connected(receiving) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in delivery.headers.items())
        connection.sendall(
            f"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{head}\r\n".encode()
        )
        sent = 0
        try:
            for piece in endless():
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < 32 * 1024 * 1024, "the rest found the connection closed"
    assert receiving.health()["refused"] == {"TOO_LARGE": 1}
    assert delivery.post(receiving.url).status_code == 204


def test_headers_that_never_end_are_refused(receiving: Receiving) -> None:
    with connected(receiving) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nX: " + b"x" * (server.MOST_HEADER_BYTES + 1))
        assert b"400" in reply(connection)[:20]
    assert Delivery().post(receiving.url).status_code == 204


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n"])
def test_what_is_not_http_is_refused(
    receiving: Receiving, noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(receiving) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        assert reply(connection)[:12] in {b"HTTP/1.1 400", b""}
    assert caplog.records == []
    assert Delivery().post(receiving.url).status_code == 204


def test_a_body_that_does_not_come_is_given_up(receiving: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_SECONDS", 0.3)
    delivery = Delivery()
    with connected(receiving) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in delivery.headers.items())
        connection.sendall(f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n{head}\r\n{{".encode())
        assert reply(connection).startswith(b"HTTP/1.1 408 ")
    assert delivery.post(receiving.url).status_code == 204


@pytest.mark.parametrize("begun", [b"", b"POST /webhook HTTP/1.1\r\nX: "], ids=["silent", "half a header"])
def test_a_connection_ends_in_time_whatever_the_other_side_does(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(server, "CONNECTION_SECONDS", 0.3)
    with connected(receiving) as connection:
        connection.sendall(begun)
        start = time.monotonic()
        assert reply(connection) == b""
        assert time.monotonic() - start < 3
    assert Delivery().post(receiving.url).status_code == 204


def test_connections_beyond_the_bound_are_cut_and_room_comes_back(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 20)
    idle = [connected(receiving) for _ in range(20)]
    with connected(receiving) as one_more:
        assert reply(one_more) == b""
    for connection in idle:
        connection.close()
    time.sleep(0.1)
    assert Delivery().post(receiving.url).status_code == 204


def test_starts_under_way_are_bounded_and_the_others_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starts, "MOST_UNDER_WAY", 3)
    deliveries = [Delivery() for _ in range(10)]
    with Receiving(seconds=1.2) as receiving, ThreadPoolExecutor(10) as senders:
        assert set(senders.map(lambda each: each.post(receiving.url).status_code, deliveries)) == {503}
        time.sleep(1)
        assert len(receiving.started) == 3
        receiving.seconds = 0
        for _ in range(2):  # with three at a time, Pleo's own repeats bring in the rest
            for each in deliveries:
                each.post(receiving.url)
        assert sorted(receiving.started) == sorted(each.job_id for each in deliveries)


def test_a_connection_carries_one_request(receiving: Receiving) -> None:
    answer = Delivery().post(receiving.url)
    assert answer.headers["connection"] == "close"
    assert SENDER.get(f"{receiving.origin}/nowhere").headers["connection"] == "close"
