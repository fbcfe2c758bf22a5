"""One item on its way into the books: what Pleo gave, what is booked of it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.accounting.booking import Booked, Entry, Refused
from adapters.accounting.item_failures import ItemFailure

if TYPE_CHECKING:  # its models take a while to be built, and `pleo-export check` does without them
    from adapters.pleo.export_items import ExportItem


@dataclass
class Line:
    """One item on its way into the books.

    Attributes:
        reference: Pleo's `accountingEntryId`.
        item: what Pleo gave; None where it gave nothing, or nothing readable.
        entry: what is booked; None if it is refused before.
        result: how it ended; None while it is only planned.
        earlier: it was in the books before this run, and is not booked again.
        first: what is in the books under the reference already, where it is booked once more (U13).
        warnings: what is odd although it is booked, such as a receipt that is missing.

    """

    reference: UUID
    item: ExportItem | None = None
    entry: Entry | None = None
    result: Booked | Refused | None = None
    earlier: bool = False
    first: Booked | None = None
    warnings: list[ItemFailure] = field(default_factory=list)

    def refuse(self, failure: ItemFailure) -> None:
        """End the item without an entry."""
        self.result = Refused(self.reference, failure)
