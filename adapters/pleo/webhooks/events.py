"""What a verified delivery says: an export job was created (L104)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from adapters.pleo.models import WIRE

JOB_CREATED = "v1.export-job.created"
"""The event type, as the payload and the subscription's example have it (C11)."""


class UnreadableEvent(Exception):
    """A body that is signed but not of the documented form."""


@dataclass(frozen=True, slots=True, config=WIRE)
class _Message:
    event_type: Annotated[str, Field(max_length=200)]
    data: Any = None


@dataclass(frozen=True, slots=True, config=WIRE)
class CreatedJob:
    """The job that an event announces. Only ids are used: Pleo is asked for the rest (L32)."""

    id: UUID
    company_id: UUID


_MESSAGE = TypeAdapter(_Message)
_JOB = TypeAdapter(CreatedJob)


def read_event(body: bytes) -> CreatedJob | None:
    """Give the job that was created; None for an event of another type (U49).

    Raises:
        UnreadableEvent: not the documented form.

    """
    try:
        message = _MESSAGE.validate_json(body)
        return _JOB.validate_python(message.data) if message.event_type == JOB_CREATED else None
    except ValidationError:
        raise UnreadableEvent from None
