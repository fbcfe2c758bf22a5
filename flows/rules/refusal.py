"""How a rule refuses one item: by raising, so that the rules themselves read straight on (L68)."""

from __future__ import annotations

from adapters.accounting.item_failures import ItemFailure, ItemFailureKind


class NotBookable(Exception):
    """One item cannot be booked as it stands, and this is why; `facts` are the nouns of its text."""

    def __init__(self, kind: ItemFailureKind, **facts: str) -> None:
        self.failure = ItemFailure(kind, facts)
        super().__init__(kind.value)
