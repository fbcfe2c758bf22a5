"""What a job books once more on purpose: under which reference, so that it does so once (U13).

The reference is made of the job's id and the entry's, and nothing else: a run that takes an interrupted
job up again makes the same one, and finds by it what was rebooked already. All entries of such a job get
one, also those that were never booked: else the next run could not tell those that this job booked from
those that it is to rebook.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from adapters.accounting.booking import Entry
from adapters.environment import ConfigurationError


def rebooking_reference(job_id: UUID, reference: UUID) -> UUID:
    """Give the reference under which a job rebooks an entry; the same one every time."""
    return uuid5(job_id, str(reference))


def rebooked(entry: Entry, job_id: UUID) -> Entry:
    """Give the entry as a job books it once more."""
    reference = rebooking_reference(job_id, entry.reference)
    return replace(entry, reference=reference, rebooks=entry.reference)


def refuse_rebooking_of_any(job_id: UUID | None, *, rebook: bool) -> None:
    """Let nothing be booked once more for whichever job happens to be the oldest (U13).

    Raises:
        ConfigurationError: no job is named.

    """
    if rebook and job_id is None:
        raise ConfigurationError(
            "rebook needs a job id: it books once more what is in the books already, so name the one job "
            "that is to do so (--job-id)."
        )
