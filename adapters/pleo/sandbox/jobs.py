"""One export job: its states, its events, its expiry, and the updates of its items."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Self

from .clock import as_text, as_text_or_none
from .layers import FINAL, ControlLayer, DataLayer, ItemState, make_layers
from .recipe import Recipe
from .refusals import InvalidRequest, illegal_event, job_has_ended
from .schemas import Json

TRANSITIONS: Final = {
    ("pending", "started"): "in_progress",
    ("in_progress", "completed"): "completed",
    ("in_progress", "completed_with_errors"): "completed_with_errors",
    ("in_progress", "failed"): "failed",
}
"""Every legal event by state (L18-L21). A pending job cannot fail by event (U6), no event repeats (U7)."""

LONGEST = {"externalId": 255, "failureReason": 255, "externalUrl": 2048}
"""Characters that text fields take (U24)."""


@dataclass(slots=True)
class ExportJob:
    """A job and both layers of its items. Moments are Unix seconds.

    Attributes:
        number: rank by creation, from 1; a list position that never changes.
        lifetime: seconds from the last update to expiry (L24).
        events: every event received, with its answer; for the control API.

    """

    id: str
    number: int
    company_id: str
    recipe: Recipe
    created_at: float
    lifetime: int
    vendor_based: bool = False
    interactive: bool = True
    created_by: str | None = None
    status: str = "pending"
    started_at: float | None = None
    updated_at: float | None = None
    completed_at: float | None = None
    expired_at: float | None = None
    failure_reason: str | None = None
    failure_reason_type: str | None = None
    events: list[Json] = field(default_factory=list)
    control: ControlLayer = field(init=False)
    data: DataLayer = field(init=False)

    def __post_init__(self) -> None:
        self.control, self.data = make_layers(
            self.recipe, self.id, self.company_id, with_vendors=self.vendor_based, created_at=self.created_at
        )

    @property
    def unfinished(self) -> bool:
        """True while the job is pending or in_progress."""
        return self.status in {"pending", "in_progress"}

    def settle(self, now: float) -> bool:
        """Let the job expire if its hour has passed; True when that happened just now (L24-L26, U3, U4)."""
        origin = self.created_at if self.updated_at is None else self.updated_at
        if not self.unfinished or now < origin + self.lifetime:
            return False
        self.expired_at = origin + self.lifetime
        self._fail("The job was not updated in time.", "job_expired")
        return True

    def cancel(self, now: float) -> None:
        """End the job as its user would (L28, U12).

        Raises:
            Refusal: it has ended already.

        """
        if not self.unfinished:
            raise job_has_ended()
        self.updated_at = now
        self._fail("A user cancelled the export.", "canceled_by_user")

    def receive(self, event: Json, now: float) -> None:
        """Take an event (L18-L22, L98).

        Raises:
            InvalidRequest: reason missing with `failed` (U27), or given with another event (L98).
            Refusal: 422, the job's state does not allow the event.

        """
        name, reason, kind = event["event"], event.get("failureReason"), event.get("failureReasonType")
        if name != "failed" and (reason is not None or kind is not None):
            raise InvalidRequest("failureReason and failureReasonType go with event failed only.")
        if name == "failed" and (not reason or kind is None):
            raise InvalidRequest("Event failed needs failureReason and failureReasonType.")
        if reason is not None and len(reason) > LONGEST["failureReason"]:
            raise InvalidRequest(f"failureReason is longer than {LONGEST['failureReason']} characters.")
        target = TRANSITIONS.get((self.status, name))
        if target is None:
            raise illegal_event(name, self.status)
        self.updated_at = now
        if target == "failed":
            self._fail(reason, kind)
        elif target == "in_progress":
            self.status, self.started_at = target, now
        else:
            # Accepted although items may be pending or failed: the client has to look (U8).
            self.status, self.completed_at = target, now

    def update_items(self, updates: list[Json], now: float) -> tuple[list[int], list[Json]]:
        """Apply item results one by one (U20); give the positions accepted and the errors (L91).

        Raises:
            Refusal: 422, the job has ended (L94).

        """
        if not self.unfinished:
            raise job_has_ended()
        accepted: list[int] = []
        errors: list[Json] = []
        changed = False
        for update in updates:
            entry_id = update["accountingEntryId"].lower()
            position = self.control.index.get(entry_id)
            if position is None:
                errors.append(
                    _error(entry_id, "ACCOUNTING_ENTRY_DOES_NOT_EXIST", "No such entry in this job.")
                )
                continue
            before = self.control.state(position)
            if fault := _fault(before, update):
                errors.append(_error(entry_id, *fault))
                continue
            after = _applied(before, update)
            if after != before:
                self.control.put(position, after)
                changed = True
            accepted.append(position)
        if changed:
            self.updated_at = now  # U1: only an update that changed something pushes the deadline out
        return accepted, errors

    def describe(self) -> Json:
        """Give the job as the contract's ExportJob."""
        return {
            "id": self.id,
            "companyId": self.company_id,
            "createdAt": as_text(self.created_at),
            "createdBy": self.created_by,
            "lastUpdatedAt": as_text_or_none(self.updated_at),
            "startedAt": as_text_or_none(self.started_at),
            "completedAt": as_text_or_none(self.completed_at),
            "expiredAt": as_text_or_none(self.expired_at),
            "expiresIn": self.lifetime,
            "numberOfItems": len(self.control),
            "status": self.status,
            "isInteractive": self.interactive,
            "vendorBasedBookkeeping": self.vendor_based,
            "failureReason": self.failure_reason,
            "failureReasonType": self.failure_reason_type,
        }

    def _fail(self, reason: str | None, kind: str | None) -> None:
        self.status, self.failure_reason, self.failure_reason_type = "failed", reason, kind
        self.control.abandon_unfinished()

    _SAVED = (
        "id number company_id created_at lifetime vendor_based interactive created_by status started_at "
        "updated_at completed_at expired_at failure_reason failure_reason_type events"
    )

    def dump(self) -> Json:
        """Give everything as JSON; the items as their recipe and the states that changed."""
        plain = {name: getattr(self, name) for name in self._SAVED.split()}
        return {**plain, "recipe": self.recipe.dump(), "states": self.control.dump()}

    @classmethod
    def load(cls, saved: Json) -> Self:
        """Take up what `dump` gave, making the items again."""
        plain = {name: saved[name] for name in cls._SAVED.split()}
        job = cls(recipe=Recipe.load(saved["recipe"]), **plain)
        job.control.restore(saved["states"])
        return job


def _error(entry_id: str, kind: str, message: str) -> Json:
    return {"accountingEntryId": entry_id, "type": kind, "message": message}


def _fault(before: ItemState, update: Json) -> tuple[str, str] | None:
    """Say why an update is refused: a final state stays (U21), only Pleo abandons (L88), texts end (U24)."""
    wanted = update["status"]
    if before.status in FINAL:
        return "EXPORT_ENTRY_STATUS_UPDATE_FAILED", f"The entry is already {before.status}."
    if wanted == "abandoned" or (wanted == "pending" and before.status != "pending"):
        return "EXPORT_ENTRY_STATUS_UPDATE_FAILED", f"An entry cannot be set to {wanted}."
    for name, most in LONGEST.items():
        if len(update.get(name, "")) > most:
            return "ACCOUNTING_ENTRY_UPDATE_FAILED", f"{name} is longer than {most} characters."
    return None


def _applied(before: ItemState, update: Json) -> ItemState:
    failed = update["status"] == "failed"
    return replace(
        before,
        status=update["status"],
        external_id=update.get("externalId", before.external_id),
        external_url=update.get("externalUrl", before.external_url),
        exported_at=update.get("exportedAt", before.exported_at),
        failure_reason=update.get("failureReason") if failed else None,
        failure_reason_type=update.get("failureReasonType") if failed else None,
    )
