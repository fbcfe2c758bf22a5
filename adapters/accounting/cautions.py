"""What a check may find odd without stopping an export: one row a kind, like the failure catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from adapters.accounting.failures import sentence


class CautionKind(StrEnum):
    """Kinds of oddity that stand in a check report as a warning."""

    BOOKS_HAVE_ERRORS = "books_have_errors"
    STORAGE_UNPROVED = "storage_unproved"
    TODAY_NOT_OPEN = "today_not_open"


class _Row(NamedTuple):
    cause: str
    remedy: str


_CAUTIONS: Mapping[CautionKind, _Row] = {
    CautionKind.BOOKS_HAVE_ERRORS: _Row(
        "{system} already shows {count} error(s) in these books; they do not keep new entries out.",
        "Have the errors in {system} looked at.",
    ),
    CautionKind.STORAGE_UNPROVED: _Row(
        "Whether {system} may write its {storage} could not be tried: it is too large or too busy.",
        "If entries are refused, give the account that runs {system} write permission on its {storage}.",
    ),
    CautionKind.TODAY_NOT_OPEN: _Row(
        "{system} takes no entries of today, {date}: that period is closed or missing; {count} are open.",
        "Open the period of {date} in {system} if entries of that time are to be booked.",
    ),
}


@dataclass(frozen=True, slots=True)
class Caution:
    """One oddity as it was found: its kind and the facts that fill the kind's sentences."""

    kind: CautionKind
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """What was found, for a person."""
        return sentence(_CAUTIONS[self.kind].cause, self.facts)

    @property
    def remedy(self) -> str:
        """What to do about it, for a person."""
        return sentence(_CAUTIONS[self.kind].remedy, self.facts)
