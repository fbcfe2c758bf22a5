"""From an error of Pleo's API to a row of the failure catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.accounting.failures import Failure, FailureKind
from adapters.pleo import errors

_KINDS: Mapping[type[errors.PleoError], FailureKind] = {
    errors.PleoThrottled: FailureKind.PLEO_THROTTLED,
    errors.PleoUnavailable: FailureKind.PLEO_UNAVAILABLE,
    errors.PleoUnauthorized: FailureKind.PLEO_CREDENTIALS_REFUSED,
    errors.PleoForbidden: FailureKind.PLEO_ACCESS_MISSING,
    errors.JobNotFound: FailureKind.PLEO_JOB_UNKNOWN,
    errors.ContraAccountsMissing: FailureKind.PLEO_CONTRA_ACCOUNTS_MISSING,
    errors.UnusableAnswer: FailureKind.PLEO_ANSWER_UNUSABLE,
    errors.TokenFileUnusable: FailureKind.PLEO_TOKEN_FILE_UNUSABLE,
}


def failure_of(error: errors.PleoError) -> Failure:
    """Describe an error of Pleo's API for a person; what is not listed is a request that Pleo refused."""
    kind = _KINDS.get(type(error), FailureKind.PLEO_REQUEST_REFUSED)
    detail = error.message if isinstance(error, errors.ContraAccountsMissing) else ""
    return Failure(kind, {"detail": detail}, evidence=str(error))
