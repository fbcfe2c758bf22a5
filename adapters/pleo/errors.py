"""What Pleo's API can answer instead of what was asked, as types (L111-L114).

The text of an error is what was seen, in a few words; sentences for people come from the catalogue.
"""

from __future__ import annotations

from adapters.faults import Fault, HttpFault
from adapters.http import Answer, retry_after_seconds
from adapters.pleo.models import ERROR_BODY
from adapters.retry import passes_by_itself
from adapters.texts import plain


class PleoError(Exception):
    """A call to Pleo did not succeed, repetitions included."""


class PleoUnavailable(PleoError):
    """No usable answer in the time allowed; a later attempt can succeed."""


class PleoThrottled(PleoUnavailable):
    """429 beyond retrying (L112, U38)."""


class PleoUnauthorized(PleoError):
    """401 although the credentials were renewed where they can be: a person must act (L11, L113)."""


class PleoForbidden(PleoError):
    """403: the credentials do not grant this (L114)."""


class JobNotFound(PleoError):
    """404: no such job, or not visible to these credentials (U41)."""


class JobEnded(PleoError):
    """422 EXPORT_JOB_STATUS_UNPROCESSABLE: the job ended elsewhere (L28, L60, L94)."""


class IllegalStatusChange(PleoError):
    """422 INVALID_EXPORT_JOB_STATUS_CHANGE: the job's state does not allow the event (L21)."""


class ContraAccountsMissing(PleoError):
    """400 MISSING_CONTRA_ACCOUNTS; `message` is Pleo's own text (V8)."""

    def __init__(self, evidence: str, message: str) -> None:
        super().__init__(evidence)
        self.message = message


class UnfinishedJobExists(PleoError):
    """409 EXPORT_ALREADY_IN_PROGRESS: the company has an unfinished job (L23)."""


class RequestRefused(PleoError):
    """Any other 4xx: a request that Pleo does not accept is a defect of ours."""


class UnusableAnswer(PleoError):
    """Not the documented answer: HTML, a redirect, another form, a cursor that stands still."""


class TokenFileUnusable(PleoError):
    """The file that keeps the OAuth tokens cannot be read or written."""


class RefusedByPleo(HttpFault):
    """An answer of Pleo that is not a success, with what its body says.

    Attributes:
        error_type: `type` of the documented error body; empty where there is none (U39).
        message: `message` of it, on one line.

    """

    def __init__(self, answer: Answer) -> None:
        fault = Fault.REDIRECT if 300 <= answer.status < 400 else Fault.STATUS
        super().__init__(fault, status=answer.status, retry_after=retry_after_seconds(answer.headers))
        self.error_type, self.message = "", ""
        try:
            body = answer.parse(ERROR_BODY)
        except HttpFault:
            return
        self.error_type, self.message = plain(body.type).upper(), plain(body.message or "", 200)

    @property
    def evidence(self) -> str:
        """What was seen, with Pleo's own name for it."""
        name = getattr(self, "error_type", "")
        return super().evidence + (f" {name}" if name else "")


_BY_TYPE: dict[tuple[int, str], type[PleoError]] = {
    (422, "EXPORT_JOB_STATUS_UNPROCESSABLE"): JobEnded,
    (422, "INVALID_EXPORT_JOB_STATUS_CHANGE"): IllegalStatusChange,
    (409, "EXPORT_ALREADY_IN_PROGRESS"): UnfinishedJobExists,
}
_BY_STATUS: dict[int, type[PleoError]] = {
    401: PleoUnauthorized,
    403: PleoForbidden,
    404: JobNotFound,
    423: PleoUnavailable,
    429: PleoThrottled,
}
_NOT_AS_DOCUMENTED = {
    Fault.BAD_ADDRESS,
    Fault.NOT_HTTP,
    Fault.REDIRECT,
    Fault.TOO_LARGE,
    Fault.NOT_JSON,
    Fault.WRONG_SHAPE,
}


def pleo_error(fault: HttpFault) -> PleoError:
    """Give the typed error for a fault that was not, or not any more, worth repeating."""
    text = fault.evidence
    if isinstance(fault, RefusedByPleo) and fault.fault is Fault.STATUS and fault.status:
        if fault.error_type == "MISSING_CONTRA_ACCOUNTS":
            return ContraAccountsMissing(text, fault.message)
        known = _BY_TYPE.get((fault.status, fault.error_type)) or _BY_STATUS.get(fault.status)
        if known:
            return known(text)
        return (PleoUnavailable if passes_by_itself(fault) or fault.status >= 500 else RequestRefused)(text)
    if fault.fault in _NOT_AS_DOCUMENTED:
        return UnusableAnswer(text)
    return PleoUnavailable(text)
