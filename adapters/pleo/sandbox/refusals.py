"""Refusals: answers other than success, raised where they are found out and written in one place."""

from __future__ import annotations


class Refusal(Exception):
    """An answer with Pleo's documented error body `{"type", "message"}` (L111).

    Attributes:
        status: HTTP status.
        kind: value of `type`.
        headers: further response headers.

    """

    def __init__(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = headers or {}


class InvalidRequest(Refusal):
    """The request breaks the contract: 400 `BAD_REQUEST`, or what the operation lists instead (U40)."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BAD_REQUEST", message[:500])


def no_such_job() -> Refusal:
    """404: the job does not exist or is not visible (U41)."""
    return Refusal(404, "EXPORT_NOT_FOUND", "No such export job.")


def no_such_record() -> Refusal:
    """404 for anything but jobs and their items."""
    return Refusal(404, "NOT_FOUND", "No such record.")


def no_such_entry() -> Refusal:
    """404: no job item for this accounting entry."""
    return Refusal(404, "EXPORT_ENTRY_NOT_FOUND", "No job item for this entry.")


def job_has_ended() -> Refusal:
    """422: items of an ended job are neither readable as export items nor updatable (L60, L94)."""
    return Refusal(422, "EXPORT_JOB_STATUS_UNPROCESSABLE", "The export job has finished.")


def illegal_event(event: str, status: str) -> Refusal:
    """422: the job's state does not allow this event (L21, U6, U7)."""
    return Refusal(
        422, "INVALID_EXPORT_JOB_STATUS_CHANGE", f"Event {event} is not possible while the job is {status}."
    )


def export_already_running() -> Refusal:
    """409: one unfinished job a company (L23)."""
    return Refusal(409, "EXPORT_ALREADY_IN_PROGRESS", "Another export of this company has not finished yet.")
