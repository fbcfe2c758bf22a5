"""Pleo's jobs and job items (the control layer) as the Export API v3 gives them.

Value lists of answers stay open (rule of the house 2): a state is a plain `str` that is compared with
the known ones, and a field that is absent reads like one that is null.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

T = TypeVar("T")

WIRE = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", hide_input_in_errors=True)
"""How all of Pleo's answers are read: camelCase names, unknown fields passed over."""


class JobStatus(StrEnum):
    """Known states of an export job (L18)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    FAILED = "failed"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"


class JobEvent(StrEnum):
    """Events that move a job (L18)."""

    STARTED = "started"
    FAILED = "failed"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"

    @property
    def wished_status(self) -> JobStatus:
        """State in which the event leaves the job."""
        return JobStatus.IN_PROGRESS if self is JobEvent.STARTED else JobStatus(self.value)


class ItemStatus(StrEnum):
    """Known states of a job item."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    FAILED = "failed"
    SUCCESSFUL = "successful"
    ABANDONED = "abandoned"


class InstallationStatus(StrEnum):
    """States of an installation that this integration tells (L16)."""

    ACTIVATED = "ACTIVATED"
    ERROR = "ERROR"


_YEAR_SECONDS = 365 * 86_400
"""Longer than this no job lives, whatever Pleo says."""

UNFINISHED_JOB = frozenset({JobStatus.PENDING, JobStatus.IN_PROGRESS})
ENDED_JOB = frozenset({JobStatus.FAILED, JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_ERRORS})
UNFINISHED_ITEM = frozenset({ItemStatus.PENDING, ItemStatus.IN_PROGRESS})


@dataclass(frozen=True, slots=True, config=WIRE)
class ExportJob:
    """One export job. Times are UTC; `expires_in` is in seconds from the last update (L24)."""

    id: UUID
    company_id: UUID
    status: str
    created_at: datetime
    expires_in: int
    number_of_items: int
    is_interactive: bool = True
    vendor_based_bookkeeping: bool = False
    created_by: UUID | None = None
    started_at: datetime | None = None
    last_updated_at: datetime | None = None
    completed_at: datetime | None = None
    expired_at: datetime | None = None
    failure_reason: str | None = None
    failure_reason_type: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the job is in a state that nothing leaves (L18)."""
        return self.status in ENDED_JOB

    @property
    def lifetime(self) -> timedelta:
        """What each accepted update buys (L27), within what a calendar holds."""
        return timedelta(seconds=max(-_YEAR_SECONDS, min(self.expires_in, _YEAR_SECONDS)))

    @property
    def deadline(self) -> datetime:
        """Moment at which the job expires unless it is updated (L25), or the last one that there is."""
        try:
            return (self.last_updated_at or self.created_at) + self.lifetime
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, config=WIRE)
class ExportJobItem:
    """One entry of a job: which one, how far it is, and how it ended."""

    accounting_entry_id: UUID
    export_job_id: UUID
    status: str
    external_id: str | None = None
    external_url: str | None = None
    exported_at: datetime | None = None
    failure_reason: str | None = None
    failure_reason_type: str | None = None


@dataclass(frozen=True, slots=True)
class ItemUpdate:
    """The outcome of one item as it is reported (L88-L90); unset fields are not sent (U26).

    `exported_at` is when the entry was created in the accounting system (C21).
    """

    accounting_entry_id: UUID
    status: ItemStatus
    external_id: str | None = None
    external_url: str | None = None
    exported_at: datetime | None = None
    failure_reason: str | None = None
    failure_reason_type: str | None = None

    def to_wire(self) -> dict[str, str]:
        """Give the request's form of the update."""
        values = {
            "accountingEntryId": str(self.accounting_entry_id),
            "status": self.status.value,
            "externalId": self.external_id,
            "externalUrl": self.external_url,
            "exportedAt": self.exported_at.isoformat() if self.exported_at else None,
            "failureReason": self.failure_reason,
            "failureReasonType": self.failure_reason_type,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, config=WIRE)
class RefusedUpdate:
    """An update inside a 200 that was not applied (L91)."""

    accounting_entry_id: UUID
    type: str
    message: str = ""


@dataclass(frozen=True, slots=True, config=WIRE)
class UpdateResult:
    """Answer to a report of item outcomes: the applied and the refused ones."""

    data: list[ExportJobItem]
    errors: list[RefusedUpdate] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, config=WIRE)
class Installation:
    """The installation of the calling credential; `resource` ends in the company's id (L13)."""

    id: UUID
    resource: str
    status: str
    error_code: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Subscription:
    """A webhook subscription (L103)."""

    id: UUID
    endpoint_url: str
    status: str
    event_types: list[str] | str = Field(default_factory=list)
    custom_headers: dict[str, str] = Field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether Pleo delivers."""
        return self.status == "ACTIVE"


@dataclass(frozen=True, slots=True, config=WIRE)
class SubscriptionSecret:
    """The signing secret of a subscription (L106)."""

    secret_key: str = Field(repr=False)


@dataclass(frozen=True, slots=True, config=WIRE)
class ErrorBody:
    """The documented error body (L111)."""

    type: str = ""
    message: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Pagination:
    """Where a page stands among the others (L52)."""

    has_next_page: bool
    end_cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Page(Generic[T]):
    """One page of a list."""

    data: list[T]
    pagination: Pagination


@dataclass(frozen=True, slots=True, config=WIRE)
class Envelope(Generic[T]):
    """One record."""

    data: T


ERROR_BODY = TypeAdapter(ErrorBody)
EXPORT_JOB = TypeAdapter(Envelope[ExportJob])
EXPORT_JOB_PAGE = TypeAdapter(Page[ExportJob])
EXPORT_JOB_ITEM_PAGE = TypeAdapter(Page[ExportJobItem])
UPDATE_RESULT = TypeAdapter(UpdateResult)
INSTALLATION = TypeAdapter(Installation)
SUBSCRIPTION = TypeAdapter(Envelope[Subscription])
SUBSCRIPTION_PAGE = TypeAdapter(Page[Subscription])
SUBSCRIPTION_SECRET = TypeAdapter(Envelope[SubscriptionSecret])
