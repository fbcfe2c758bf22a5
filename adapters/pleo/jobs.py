"""Which job to work on, and making it ours (L30-L40)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from adapters.pleo.client import PleoClient
from adapters.pleo.events import send_event
from adapters.pleo.models import ExportJob, JobEvent, JobStatus


async def next_job(client: PleoClient) -> ExportJob | None:
    """Read the job to work on next: pending ones, and in_progress ones to recover (L34). Changes nothing.

    Raises:
        PleoError: the jobs could not be listed.

    """
    return oldest_eligible(await client.list_jobs([JobStatus.PENDING, JobStatus.IN_PROGRESS]))


def oldest_eligible(jobs: Iterable[ExportJob]) -> ExportJob | None:
    """Choose the job to work on: an interrupted one first, else the oldest, then by id (L36, L37)."""
    eligible = [job for job in jobs if job.status in {JobStatus.PENDING, JobStatus.IN_PROGRESS}]
    return min(
        eligible,
        key=lambda job: (job.status != JobStatus.IN_PROGRESS, job.created_at, str(job.id)),
        default=None,
    )


class ClaimResult(StrEnum):
    """How an attempt to work on a job ended.

    `started`: our event was accepted. `resumed`: the job was in progress already, and nothing was sent
    (L35). `ended`: the job has a final state. `not_ours`: someone else moved it, or it is in a state
    that this integration does not know (L39, U37).
    """

    STARTED = "started"
    RESUMED = "resumed"
    ENDED = "ended"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Claim:
    """Result of a claim, with the job as it was read last."""

    result: ClaimResult
    job: ExportJob


async def claim(client: PleoClient, job: ExportJob) -> Claim:
    """Start the job, or resume it; `started` is never sent for a job that is in progress (L35, L40).

    Args:
        client: Pleo.
        job: as it was read when it was detected.

    Raises:
        PleoError: nobody knows whether the job was started; a later run finds out.

    """
    if job.ended:
        return Claim(ClaimResult.ENDED, job)
    if job.status == JobStatus.IN_PROGRESS:
        return Claim(ClaimResult.RESUMED, job)
    if job.status != JobStatus.PENDING:
        return Claim(ClaimResult.NOT_OURS, job)
    outcome = await send_event(client, job.id, JobEvent.STARTED)
    job = outcome.job or job
    if outcome.took_effect:
        return Claim(ClaimResult.STARTED, job)
    return Claim(ClaimResult.ENDED if job.ended else ClaimResult.NOT_OURS, job)
