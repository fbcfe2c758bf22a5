"""What a ledger has against an entry, in sentences for Pleo's user."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from adapters.accounting.failures import FailureKind
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind


class Said(StrEnum):
    """Texts of `REFUSED_BY_SYSTEM`; what to do comes early: they are cut at 120 characters."""

    CURRENCY = "Account {account} takes no amounts in {currency}. Check Category."
    FORM = (
        "The ledger cannot hold the currency, the date or an amount of the entry. Book this expense by hand."
    )
    ASSERTION = (
        "Date the expense later; else the ledger's balance would be wrong on {date}, account {account}"
    )
    ERROR = "Mend what the ledger would report, then export again: {error}"
    STORAGE = "Fava could not write the ledger. Ask its administrator, then export again."
    REQUEST = "Fava did not take the entry as it was sent. Book this expense by hand."


def refused(said: Said, **facts: str) -> ItemFailure:
    """Make a refusal by the ledger."""
    return ItemFailure(ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": said.format_map(facts)})


def ledger_error(message: str) -> ItemFailure:
    """Make a refusal for an error that Beancount or a plugin reported; a path is not shown."""
    showable = not any(character in message for character in "/\\{}<>") and len(message) <= 100
    return refused(Said.ERROR, error=message.rstrip(". ") if showable else "see its list of errors")


_KINDS: Mapping[FailureKind, ItemFailureKind] = {
    FailureKind.TIMED_OUT: ItemFailureKind.SYSTEM_TIMED_OUT,
    FailureKind.THROTTLED: ItemFailureKind.SYSTEM_THROTTLED,
    FailureKind.CREDENTIALS_REFUSED: ItemFailureKind.SYSTEM_REFUSES_CREDENTIALS,
    FailureKind.ACCESS_REVOKED: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.CREATION_NOT_ALLOWED: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.READ_ONLY: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.STORAGE_NOT_WRITABLE: ItemFailureKind.SYSTEM_DENIES_ACCESS,
}


def of_system(kind: FailureKind) -> ItemFailure:
    """Give what a failure of the whole system means for one item."""
    return ItemFailure(_KINDS.get(kind, ItemFailureKind.SYSTEM_UNREACHABLE))
