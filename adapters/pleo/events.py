"""Sending a job's event so that it takes effect once, also where an answer is lost (L22, L39, L40, L99)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from adapters.faults import HttpFault
from adapters.pleo.client import PleoClient
from adapters.pleo.errors import pleo_error
from adapters.pleo.models import ExportJob, JobEvent
from adapters.retry import attempts, may_have_taken_effect, worth_writing_again

_JOB_STATE_REFUSES = 422


class EventResult(StrEnum):
    """How sending an event ended.

    `accepted`: Pleo said so. `found`: the answer was lost, but the job is in the wished state.
    `refused`: the job is in another state, into which somebody else brought it.
    """

    ACCEPTED = "accepted"
    FOUND = "found"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """Result of sending an event; `job` is as Pleo held it afterwards, where it was read."""

    result: EventResult
    job: ExportJob | None = None

    @property
    def took_effect(self) -> bool:
        """Whether the job is where the event was to bring it, by our doing."""
        return self.result is not EventResult.REFUSED


async def send_event(
    client: PleoClient,
    job_id: UUID,
    event: JobEvent,
    *,
    failure_type: str | None = None,
    failure_text: str | None = None,
) -> EventOutcome:
    """Send one event and make sure of what became of it.

    After an answer that was lost the job is read before anything is sent again; a 422 leads to a read,
    never to a repetition.

    Raises:
        PleoError: the event could not be delivered, or nobody knows whether it was.

    """
    uncertain = False
    try:
        async for attempt in attempts(client.policy, worth_writing_again):
            with attempt:
                try:
                    await client.post_event(
                        job_id, event, failure_type=failure_type, failure_text=failure_text
                    )
                except HttpFault as fault:
                    if fault.status == _JOB_STATE_REFUSES:
                        return _settled(await client.get_job(job_id), event, uncertain=uncertain)
                    if not may_have_taken_effect(fault):
                        raise
                    uncertain = True
                    outcome = _settled(await client.get_job(job_id), event, uncertain=True)
                    if outcome.took_effect or (outcome.job and outcome.job.ended):
                        return outcome
                    raise
                return EventOutcome(EventResult.ACCEPTED)
    except HttpFault as fault:
        raise pleo_error(fault) from None
    raise AssertionError("attempts end with an outcome or a fault")


def _settled(job: ExportJob, event: JobEvent, *, uncertain: bool) -> EventOutcome:
    """Judge the job as it was read again: our event took effect only if an earlier answer was lost."""
    if uncertain and job.status == event.wished_status:
        return EventOutcome(EventResult.FOUND, job)
    return EventOutcome(EventResult.REFUSED, job)
