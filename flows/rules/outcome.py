"""From what became of the items to what Pleo is told: updates of items, and the one terminal event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from adapters.accounting.booking import Booked, Refused
from adapters.accounting.failures import PLEO_TEXT_LIMIT
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.pleo.items import FetchedItems
from adapters.pleo.models import UNFINISHED_ITEM, ExportJobItem, ItemStatus, ItemUpdate, JobEvent
from adapters.texts import plain

T = TypeVar("T")

UPDATE_LIMIT = 100
"""Items in one report (L87, C1)."""

EXTERNAL_ID_LIMIT = 255
EXTERNAL_URL_LIMIT = 2048
"""Characters of a link (U24)."""

REASONS_OF_ITEMS_AND_JOBS = frozenset(
    {
        "invalid_configuration",
        "missing_configuration",
        "accounting_system_authentication_failure",
        "accounting_system_rate_limit",
        "accounting_system_unreachable",
        "accounting_system_timeout",
        "authorization_failure",
        "validation_failure",
    }
)
"""Values of `failureReasonType` that an item may have and a job too (C2a)."""

_ANY_REASON = "validation_failure"
_NOTHING_EXPORTED = "No expense was exported:"
_DIFFERENT_REASONS = "No expense was exported. Each one shows its own reason."


@dataclass(frozen=True, slots=True)
class TerminalEvent:
    """The event that ends a job; the failure fields are there with `failed` and only then (L98, C2, U27)."""

    event: JobEvent
    failure_type: str | None = None
    failure_text: str | None = None


def update_of(reference: UUID, result: Booked | Refused) -> ItemUpdate:
    """Give the final state of the item with this `accountingEntryId` (L88-L90), whatever it is booked under.

    What is `Uncertain` has to be looked up first.

    An id that is too long is cut, as a part of it still finds the entry; a link that was cut leads nowhere.
    """
    if isinstance(result, Refused):
        reason = result.failure.told_to_pleo()
        return ItemUpdate(
            reference, ItemStatus.FAILED, failure_reason=reason.text, failure_reason_type=reason.type
        )
    url = result.external_url
    return ItemUpdate(
        reference,
        ItemStatus.SUCCESSFUL,
        external_id=plain(result.external_id[:EXTERNAL_ID_LIMIT], EXTERNAL_ID_LIMIT) or None,
        external_url=url if url and len(url) <= EXTERNAL_URL_LIMIT and _is_link(url) else None,
        exported_at=result.at,
    )


def bare_update_of(reference: UUID, result: Booked | Refused) -> ItemUpdate:
    """Give the same state with nothing but what must be there, should Pleo object to the rest (L89, U27)."""
    if isinstance(result, Booked):
        return ItemUpdate(reference, ItemStatus.SUCCESSFUL)
    return update_of(reference, Refused(reference, ItemFailure(ItemFailureKind.UNEXPECTED)))


def _is_link(url: str) -> bool:
    return url.isprintable() and " " not in url


def not_readable(fetched: FetchedItems) -> Iterator[Refused]:
    """Refuse the items of a job that have no payload (L66), or one that cannot be read (L68)."""
    for reference in fetched.without_payload:
        yield Refused(reference, ItemFailure(ItemFailureKind.PAYLOAD_MISSING))
    for reference in fetched.unreadable:
        yield Refused(reference, ItemFailure(ItemFailureKind.PAYLOAD_UNREADABLE))


def batches(things: Sequence[T], size: int = UPDATE_LIMIT) -> Iterator[Sequence[T]]:
    """Part things, such as updates, into batches of at most `size`, in their order."""
    return (things[start : start + size] for start in range(0, len(things), size))


def terminal_event(items: Collection[ExportJobItem]) -> TerminalEvent | None:
    """Compute how a job ends from all of its items as Pleo holds them (L97, L101).

    None: an item is still pending or in progress, so the job may not end yet (L96, L102). A job without
    items is completed (U10). An item in any other state, such as `abandoned`, was not exported.
    """
    if any(item.status in UNFINISHED_ITEM for item in items):
        return None
    missed = [item for item in items if item.status != ItemStatus.SUCCESSFUL]
    if not missed:
        return TerminalEvent(JobEvent.COMPLETED)
    if len(missed) < len(items):
        return TerminalEvent(JobEvent.COMPLETED_WITH_ERRORS)
    return TerminalEvent(JobEvent.FAILED, _common_type(missed), _common_text(missed))


def _common_type(items: Iterable[ExportJobItem]) -> str:
    """Give the one reason of all items if a job may have it too, else the general one (C2a)."""
    types = {item.failure_reason_type for item in items}
    reason = types.pop() if len(types) == 1 else None
    return reason if reason in REASONS_OF_ITEMS_AND_JOBS else _ANY_REASON


def _common_text(items: Iterable[ExportJobItem]) -> str:
    """Repeat the one text of all items, whole (U24), else lead to the texts of each (L100)."""
    texts = {plain(item.failure_reason or "", PLEO_TEXT_LIMIT) for item in items}
    text = texts.pop() if len(texts) == 1 else ""
    if not text:
        return _DIFFERENT_REASONS
    whole = f"{_NOTHING_EXPORTED} {text}"
    return whole if len(whole) <= PLEO_TEXT_LIMIT else text
