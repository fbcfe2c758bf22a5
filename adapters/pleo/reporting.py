"""Reporting item results so that each takes effect once, also where an answer is lost (L87-L94)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from adapters.faults import HttpFault
from adapters.pleo.client import MAX_UPDATES, PleoClient
from adapters.pleo.errors import pleo_error
from adapters.pleo.models import UNFINISHED_ITEM, ItemUpdate, RefusedUpdate
from adapters.retry import attempts, may_have_taken_effect, worth_writing_again


@dataclass
class Reported:
    """What became of reported results.

    Attributes:
        accepted: number of items that Pleo holds in a final state now.
        refused: updates that Pleo did not apply, by entry (L91).

    """

    accepted: int = 0
    refused: dict[UUID, RefusedUpdate] = field(default_factory=dict)


async def report_items(client: PleoClient, job_id: UUID, updates: Sequence[ItemUpdate]) -> Reported:
    """Report results in batches of at most 100.

    After an answer that was lost the items are listed, and only those without a final state are sent
    again (U22).

    Raises:
        JobEnded: the job ended elsewhere (L94).
        PleoError: a batch could not be delivered, or nobody knows whether it was.

    """
    reported = Reported()
    for start in range(0, len(updates), MAX_UPDATES):
        await _report_batch(client, job_id, list(updates[start : start + MAX_UPDATES]), reported)
    return reported


async def _report_batch(
    client: PleoClient, job_id: UUID, batch: list[ItemUpdate], reported: Reported
) -> None:
    waiting = batch
    try:
        async for attempt in attempts(client.policy, worth_writing_again):
            with attempt:
                try:
                    result = await client.update_items(job_id, waiting)
                except HttpFault as fault:
                    if may_have_taken_effect(fault):
                        waiting = await _still_unfinished(client, job_id, waiting)
                        if not waiting:
                            break
                    raise
                reported.refused.update({each.accounting_entry_id: each for each in result.errors})
    except HttpFault as fault:
        raise pleo_error(fault) from None
    reported.accepted += len(batch) - sum(u.accounting_entry_id in reported.refused for u in batch)


async def _still_unfinished(client: PleoClient, job_id: UUID, updates: list[ItemUpdate]) -> list[ItemUpdate]:
    """Keep the updates of the items that Pleo does not hold in a final state yet."""
    states = {item.accounting_entry_id: item.status for item in await client.list_job_items(job_id)}
    return [each for each in updates if states.get(each.accounting_entry_id) in UNFINISHED_ITEM]
