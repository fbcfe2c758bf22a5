"""The items of a job: both layers fetched, joined on the accounting entry, and checked against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from adapters.pleo.client import PleoClient
from adapters.pleo.export_items import ExportItem, UnreadableItem
from adapters.pleo.models import UNFINISHED_ITEM, ExportJobItem


@dataclass(frozen=True, slots=True)
class FetchedItems:
    """What there is to do for a job.

    Attributes:
        to_book: unfinished items with their payload, ordered by date, then id, the same on every retry
            (L53, L56).
        finished: number of items that already have a final state, by state.
        without_payload: unfinished items that the data layer does not have, to be failed (L66).
        unreadable: unfinished items whose payload has another form than documented, to be failed (L68).
        not_in_job: payloads of entries that the control layer does not have: never booked (L66).

    """

    to_book: tuple[ExportItem, ...]
    finished: Mapping[str, int]
    without_payload: tuple[UUID, ...]
    unreadable: tuple[UUID, ...]
    not_in_job: tuple[UUID, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of items: those fetched to be booked, the odd ones, and the finished ones by state."""
        odd = {
            "without_payload": len(self.without_payload),
            "unreadable": len(self.unreadable),
            "not_in_job": len(self.not_in_job),
        }
        return {"fetched": len(self.to_book), **{k: n for k, n in odd.items() if n}, **self.finished}


async def fetch_items(client: PleoClient, job_id: UUID) -> FetchedItems:
    """Fetch all pages of both layers and join them (L51-L66).

    Raises:
        JobEnded: the job ended elsewhere (L60).
        ContraAccountsMissing: Pleo cannot give the payload (V8).
        PleoError: anything else.

    """
    control = await client.list_job_items(job_id)
    return join_layers(control, await client.list_export_items(job_id))


def join_layers(control: list[ExportJobItem], payload: list[ExportItem | UnreadableItem]) -> FetchedItems:
    """Join the two layers; an entry that paging brought twice counts once (U16)."""
    state = {item.accounting_entry_id: item.status for item in control}
    selected = {entry for entry, status in state.items() if status in UNFINISHED_ITEM}
    data = {item.accounting_entry_id: item for item in payload}
    to_book = [item for entry, item in data.items() if entry in selected and isinstance(item, ExportItem)]
    return FetchedItems(
        to_book=tuple(sorted(to_book, key=lambda item: (item.date, str(item.accounting_entry_id)))),
        finished=dict(Counter(status for status in state.values() if status not in UNFINISHED_ITEM)),
        without_payload=tuple(sorted(selected - data.keys())),
        unreadable=tuple(sorted(e for e in selected if isinstance(data.get(e), UnreadableItem))),
        not_in_job=tuple(sorted(data.keys() - state.keys())),
    )
