"""What can go wrong between us and a server, whoever it is, told apart from httpx's exceptions.

A fault says what happened, never why a person should care: that is the catalogue's business
(`adapters.accounting.failures`). Its text holds no address, no header and no body.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum

import httpx


class Fault(StrEnum):
    """The ways in which one request can fail to bring a usable answer."""

    BAD_ADDRESS = "bad_address"
    UNKNOWN_HOST = "unknown_host"
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    TLS = "tls"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    NOT_HTTP = "not_http"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    STATUS = "status"


_EVIDENCE = {
    Fault.BAD_ADDRESS: "the address cannot be used",
    Fault.UNKNOWN_HOST: "the host name is unknown",
    Fault.REFUSED: "connection refused",
    Fault.NO_ROUTE: "no connection could be made",
    Fault.TLS: "no trusted TLS connection could be made",
    Fault.TIMEOUT: "no complete answer in time",
    Fault.CONNECTION_LOST: "the connection broke off",
    Fault.NOT_HTTP: "the answer was not HTTP",
    Fault.REDIRECT: "answered with a redirect",
    Fault.TOO_LARGE: "the answer was larger than allowed",
    Fault.NOT_JSON: "the answer was not JSON",
    Fault.WRONG_SHAPE: "the answer had another form than documented",
}

_NEVER_ARRIVED = frozenset({Fault.BAD_ADDRESS, Fault.UNKNOWN_HOST, Fault.REFUSED, Fault.NO_ROUTE, Fault.TLS})


class HttpFault(Exception):
    """One request brought no usable answer.

    Attributes:
        fault: what happened.
        status: HTTP status, where an answer's head was read.
        retry_after: seconds that the server asked us to wait, if it did.
        may_have_arrived: whether the request can have taken effect. A write with this set is
            *uncertain*: read the state again before deciding.

    """

    def __init__(
        self,
        fault: Fault,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        may_have_arrived: bool | None = None,
    ) -> None:
        self.fault = fault
        self.status = status
        self.retry_after = retry_after
        self.may_have_arrived = fault not in _NEVER_ARRIVED if may_have_arrived is None else may_have_arrived
        super().__init__(self.evidence)

    @property
    def evidence(self) -> str:
        """What was seen, in a few words that are safe to show anyone."""
        if self.fault is Fault.STATUS:
            return f"HTTP {self.status}"
        return _EVIDENCE[self.fault] + (f" (HTTP {self.status})" if self.status else "")


@contextlib.contextmanager
def faults_of_httpx() -> Iterator[None]:
    """Turn whatever httpx, the TLS layer or the event loop raises inside the block into `HttpFault`.

    The original exception is dropped: its text can hold the address or a header.
    """
    try:
        yield
    except HttpFault:
        raise
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        raise HttpFault(Fault.TIMEOUT, may_have_arrived=False) from None
    except (httpx.TimeoutException, TimeoutError):
        raise HttpFault(Fault.TIMEOUT) from None
    except (httpx.ConnectError, httpx.ProxyError) as error:
        raise HttpFault(_connect_fault(error)) from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError, ValueError):
        raise HttpFault(Fault.BAD_ADDRESS) from None
    except httpx.RemoteProtocolError as error:
        lost = "disconnected" in str(error) or "closed" in str(error)
        raise HttpFault(Fault.CONNECTION_LOST if lost else Fault.NOT_HTTP) from None
    except ssl.SSLError:
        raise HttpFault(Fault.TLS, may_have_arrived=True) from None
    except (httpx.HTTPError, OSError):
        raise HttpFault(Fault.CONNECTION_LOST) from None


def _connect_fault(error: BaseException) -> Fault:
    """Find the cause of a failed connection in the chain (and groups) below httpx's exception."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, ssl.SSLError):
            return Fault.TLS
        if isinstance(current, socket.gaierror):
            return Fault.UNKNOWN_HOST
        if isinstance(current, ConnectionRefusedError):
            return Fault.REFUSED
        if isinstance(current, ConnectionResetError | BrokenPipeError):
            return Fault.CONNECTION_LOST
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting += [current.__cause__, current.__context__]
    return Fault.NO_ROUTE
