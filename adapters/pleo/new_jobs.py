"""Making an export job for given entries, once, also where the answer is lost (L19, L23)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from adapters.faults import HttpFault
from adapters.pleo.client import PleoClient
from adapters.pleo.errors import UnfinishedJobExists, pleo_error
from adapters.pleo.models import ExportJob, ExportJobItem, JobStatus
from adapters.retry import attempts, may_have_taken_effect, worth_writing_again


async def other_jobs_since(
    client: PleoClient, job: ExportJob
) -> AsyncIterator[tuple[ExportJob, list[ExportJobItem]]]:
    """Read the company's other jobs that are not older than the given one, newest first, with their items.

    Each job's items are read when it is asked for, so whoever has seen enough stops.

    Raises:
        PleoError: Pleo could not be asked.

    """
    jobs = await client.list_jobs(list(JobStatus))
    since = [other for other in jobs if other.id != job.id and other.created_at >= job.created_at]
    for other in sorted(since, key=lambda each: (each.created_at, str(each.id)), reverse=True):
        yield other, await client.list_job_items(other.id)


async def create_job(
    client: PleoClient, entries: Sequence[UUID], *, vendor_based_bookkeeping: bool
) -> ExportJob:
    """Make a job for the entries and make sure of what became of it.

    After an answer that was lost the unfinished jobs are read before anything is sent again: the one with
    exactly these entries is the one that was asked for.

    Raises:
        UnfinishedJobExists: the company has an unfinished job with other entries.
        PleoError: the job could not be made, or nobody knows whether it was.

    """
    uncertain = False
    try:
        async for attempt in attempts(client.policy, worth_writing_again):
            with attempt:
                try:
                    return await client.create_job(entries, vendor_based_bookkeeping=vendor_based_bookkeeping)
                except HttpFault as fault:
                    uncertain = uncertain or may_have_taken_effect(fault)
                    if uncertain or isinstance(pleo_error(fault), UnfinishedJobExists):
                        found = await _unfinished_job_of(client, frozenset(entries))
                        if found:
                            return found
                    raise
    except HttpFault as fault:
        raise pleo_error(fault) from None
    raise AssertionError("attempts end with a job or a fault")


async def _unfinished_job_of(client: PleoClient, entries: frozenset[UUID]) -> ExportJob | None:
    for job in await client.list_jobs([JobStatus.PENDING, JobStatus.IN_PROGRESS]):
        if {item.accounting_entry_id for item in await client.list_job_items(job.id)} == entries:
            return job
    return None
