"""From a fault on the wire to a kind of failure: the rules that hold for every accounting system."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.faults import Fault, HttpFault

_BY_FAULT: Mapping[Fault, FailureKind] = {
    Fault.BAD_ADDRESS: FailureKind.WRONG_ADDRESS,
    Fault.UNKNOWN_HOST: FailureKind.UNKNOWN_HOST,
    Fault.REFUSED: FailureKind.CONNECTION_REFUSED,
    Fault.NO_ROUTE: FailureKind.UNKNOWN_HOST,
    Fault.TLS: FailureKind.TLS_FAILED,
    Fault.TIMEOUT: FailureKind.TIMED_OUT,
    Fault.CONNECTION_LOST: FailureKind.CONNECTION_LOST,
    Fault.NOT_HTTP: FailureKind.NOT_THE_SYSTEM,
    Fault.REDIRECT: FailureKind.NOT_THE_SYSTEM,
    Fault.TOO_LARGE: FailureKind.NOT_THE_SYSTEM,
    Fault.NOT_JSON: FailureKind.NOT_THE_SYSTEM,
    Fault.WRONG_SHAPE: FailureKind.NOT_THE_SYSTEM,
}

_BY_STATUS: Mapping[int, FailureKind] = {
    401: FailureKind.CREDENTIALS_REFUSED,
    403: FailureKind.ACCESS_REVOKED,
    404: FailureKind.WRONG_ADDRESS,
    407: FailureKind.CREDENTIALS_REFUSED,
    408: FailureKind.TIMED_OUT,
    410: FailureKind.WRONG_ADDRESS,
    423: FailureKind.LOCKED,
    429: FailureKind.THROTTLED,
    504: FailureKind.TIMED_OUT,
}


def kind_of(fault: HttpFault) -> FailureKind:
    """Kind of failure that a fault amounts to, where an adapter knows nothing more exact."""
    if fault.fault is not Fault.STATUS or fault.status is None:
        return _BY_FAULT[fault.fault]
    if fault.status in _BY_STATUS:
        return _BY_STATUS[fault.status]
    return FailureKind.SERVER_ERROR if fault.status >= 500 else FailureKind.NOT_THE_SYSTEM


def check_failed(fault: HttpFault, **facts: str) -> CheckFailed:
    """Make the exception with which an adapter's check reports a fault."""
    return CheckFailed(kind_of(fault), evidence=fault.evidence, **facts)
