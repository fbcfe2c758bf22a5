"""Which entries of a failed job are exported again (L49, L50)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.pleo.models import UNFINISHED_JOB, ExportJob, ExportJobItem, ItemStatus, JobStatus


@dataclass(frozen=True, slots=True)
class JobWithItems:
    """A job and the states of its items."""

    job: ExportJob
    items: Sequence[ExportJobItem]


@dataclass(frozen=True, slots=True)
class SinceThen:
    """How the entries of a failed job stand today.

    Attributes:
        open: entries that no other job exported or is about to export, in the order of the failed job.
        under_way: unfinished job that holds some of the entries.
        settled_by: ended jobs that exported some, or told the reason of single ones.

    """

    open: tuple[UUID, ...]
    under_way: ExportJob | None
    settled_by: tuple[ExportJob, ...]


def since_then(failed: JobWithItems, others: Iterable[JobWithItems]) -> SinceThen:
    """Find out what became of the entries that the failed job did not export.

    So that a repeated order makes no further job: an entry is done once a later job exported it, and also
    where a later job was brought to its end and has the entry's own reason; a person mends that first. The
    order of the other jobs does not matter, as their times of creation may be equal.
    """
    open_entries = {
        item.accounting_entry_id: None for item in failed.items if item.status != ItemStatus.SUCCESSFUL
    }
    under_way: ExportJob | None = None
    settled_by: list[ExportJob] = []
    for other in others:
        if not open_entries:
            break
        shared = [item for item in other.items if item.accounting_entry_id in open_entries]
        if other.job.status in UNFINISHED_JOB:
            settled = shared
            under_way = other.job if shared else under_way
        elif other.job.status == JobStatus.FAILED:
            settled = [item for item in shared if item.status == ItemStatus.SUCCESSFUL]
        else:
            settled = shared
        for item in settled:
            del open_entries[item.accounting_entry_id]
        if settled and other.job.ended:
            settled_by.append(other.job)
    return SinceThen(tuple(open_entries), under_way, tuple(settled_by))
