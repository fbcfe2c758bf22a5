"""The two layers of a job: the state of each entry (control) and its accounting payload (data)."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from random import Random

from .generator import ItemGenerator
from .recipe import Recipe
from .schemas import Json

UNFINISHED = ("pending", "in_progress")
FINAL = ("successful", "failed", "abandoned")


@dataclass(slots=True)
class ItemState:
    """State and outcome of one entry of a job, as the control layer tells it."""

    status: str = "pending"
    external_id: str | None = None
    external_url: str | None = None
    exported_at: str | None = None
    failure_reason: str | None = None
    failure_reason_type: str | None = None


class DataLayer:
    """The accounting payloads, serialised once, in an order of their own (L59: join on the id)."""

    def __init__(self, entries: list[bytes]) -> None:
        self._entries = entries
        self.positions: Sequence[int] = range(len(entries))

    def render(self, positions: Sequence[int]) -> list[bytes]:
        """Give the serialised items at these positions."""
        return [self._entries[position] for position in positions]


class ControlLayer:
    """Identity and state of each entry, with the positions by state kept so that no page scans them all."""

    def __init__(self, job_id: str, entry_ids: list[str]) -> None:
        self._job_id = job_id
        self.entry_ids = entry_ids
        self.index = {entry_id.lower(): position for position, entry_id in enumerate(entry_ids)}
        self._states = [ItemState() for _ in entry_ids]
        self._by_status: dict[str, list[int]] = {status: [] for status in (*UNFINISHED, *FINAL)}
        self._by_status["pending"] = list(range(len(entry_ids)))
        self._written: list[bytes | None] = [None] * len(entry_ids)

    def __len__(self) -> int:
        return len(self.entry_ids)

    def positions(self, status: str | None = None) -> Sequence[int]:
        """Give the positions of all entries, or of those in one state, ascending."""
        return range(len(self)) if status is None else self._by_status[status]

    def state(self, position: int) -> ItemState:
        """Give the state of one entry; change it through `put` only."""
        return self._states[position]

    def put(self, position: int, state: ItemState) -> None:
        """Replace the state of one entry."""
        before = self._states[position].status
        if before != state.status:
            left = self._by_status[before]
            del left[bisect_left(left, position)]
            insort(self._by_status[state.status], position)
        self._states[position] = state
        self._written[position] = None

    def abandon_unfinished(self) -> None:
        """Make every entry without a final state `abandoned` (L26, U9)."""
        for status in UNFINISHED:
            for position in self._by_status[status]:
                self._states[position].status = "abandoned"
                self._written[position] = None
            self._by_status["abandoned"] += self._by_status[status]
            self._by_status[status] = []
        self._by_status["abandoned"].sort()

    def counts(self) -> dict[str, int]:
        """Give the number of entries by state."""
        return {status: len(positions) for status, positions in self._by_status.items()}

    def describe(self, position: int) -> Json:
        """Give one entry as the contract's ExportJobItem."""
        state = self._states[position]
        return {
            "exportJobId": self._job_id,
            "accountingEntryId": self.entry_ids[position],
            "status": state.status,
            "externalId": state.external_id,
            "externalUrl": state.external_url,
            "exportedAt": state.exported_at,
            "failureReason": state.failure_reason,
            "failureReasonType": state.failure_reason_type,
        }

    def render(self, positions: Sequence[int]) -> list[bytes]:
        """Give the serialised entries at these positions."""
        return [self._written[position] or self._write(position) for position in positions]

    def _write(self, position: int) -> bytes:
        written = self._written[position] = serialise(self.describe(position))
        return written

    def dump(self) -> Json:
        """Give the states that are not as they began, by position; the rest follows from the recipe."""
        untouched = ItemState()
        return {
            str(position): asdict(state) for position, state in enumerate(self._states) if state != untouched
        }

    def restore(self, saved: Json) -> None:
        """Take up what `dump` gave."""
        for position, state in saved.items():
            self.put(int(position), ItemState(**state))


def make_layers(
    recipe: Recipe, job_id: str, company_id: str, *, with_vendors: bool, created_at: float
) -> tuple[ControlLayer, DataLayer]:
    """Make both layers of a job. The data layer comes shuffled: nothing promises one order for both (U15)."""
    generator = ItemGenerator(recipe, company_id, with_vendors=with_vendors, until=created_at)
    entry_ids: list[str] = []
    payloads: list[bytes] = []
    for ordinal in range(1, recipe.items + recipe.extra_in_data + 1):
        given = recipe.entry_ids[ordinal - 1] if ordinal <= len(recipe.entry_ids) else None
        item = generator.item(ordinal, given)
        if ordinal in recipe.without_account:
            item["accountingEntryLines"][0]["account"] = None
        item.update(recipe.overrides.get(ordinal, {}))
        if ordinal <= recipe.items:
            entry_ids.append(item["accountingEntryId"])
        if ordinal not in recipe.missing_in_data:
            payloads.append(serialise(item))
    Random(recipe.seed).shuffle(payloads)  # noqa: S311 - an order, not a secret
    return ControlLayer(job_id, entry_ids), DataLayer(payloads)


def serialise(value: Json) -> bytes:
    """Write JSON as it goes over the wire: compact, in real UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def find_state(layers: Iterable[ControlLayer], entry_id: str) -> tuple[ControlLayer, int] | None:
    """Find the first control layer that has an entry, and the entry's position there."""
    for layer in layers:
        if (position := layer.index.get(entry_id)) is not None:
            return layer, position
    return None
