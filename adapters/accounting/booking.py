"""What booking is about, in the terms of every accounting system: entries, and what became of them.

Money is integer hundredths of the entry's currency. The reference of an entry is Pleo's
`accountingEntryId`: it is stored with the entry, so that an entry is found again before anything is
booked twice (L57, L95). What is booked once more on purpose has a reference of its own beside it (U13).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

from adapters.accounting.item_failures import ItemFailure


class Posting(StrEnum):
    """Whether entries are booked as drafts or for good (L85)."""

    DRAFT = "draft"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Tag:
    """A dimension of a line: the code of a tag in its group."""

    group: str
    code: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of an entry.

    Attributes:
        account: the account in the accounting system, as its users write it.
        amount: hundredths of the entry's currency; positive debits, negative credits, never 0.
        description: one line of text.
        tags: dimensions, where the system has them.
        tax_code: code of the tax that is within the amount, for information; None if there is none.

    """

    account: str
    amount: int
    description: str = ""
    tags: tuple[Tag, ...] = ()
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry that balances.

    Attributes:
        reference: Pleo's `accountingEntryId`; of one that is booked once more, a reference of its own.
        date: posting date.
        currency: ISO code; of the wallet.
        payee: merchant or person; may be empty.
        description: one line of text.
        lines: two or more, whose amounts add up to 0.
        posting: draft or final.
        details: further facts for the system's own fields, such as `reconciliation-id`; values on one line.
        rebooks: `accountingEntryId` of what this books once more, on purpose (U13). It is stored, too.

    Raises:
        ValueError: the lines do not balance, or there are too few: a defect of the mapping.

    """

    reference: UUID
    date: dt.date
    currency: str
    payee: str
    description: str
    lines: tuple[EntryLine, ...]
    posting: Posting = Posting.DRAFT
    details: Mapping[str, str] = field(default_factory=dict)
    rebooks: UUID | None = None

    def __post_init__(self) -> None:
        if len(self.lines) < 2 or sum(line.amount for line in self.lines) != 0:
            raise ValueError("an entry needs two lines or more that add up to 0")
        if any(line.amount == 0 for line in self.lines):
            raise ValueError("a line needs an amount")


@dataclass(frozen=True, slots=True)
class Booked:
    """The entry is in the books.

    Attributes:
        reference: of the entry.
        external_id: what the system's users find it by, at most 255 characters.
        external_url: link to it for people, if the system has one.
        at: moment (UTC) of its creation as far as known; None for an entry that was found.

    """

    reference: UUID
    external_id: str
    external_url: str | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The entry is certainly not in the books, and this is why."""

    reference: UUID
    failure: ItemFailure


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody knows whether the entry is in the books: look it up by its reference before deciding.

    Attributes:
        reference: of the entry.
        failure: what to tell if it turns out not to be there.

    """

    reference: UUID
    failure: ItemFailure


BookingResult = Booked | Refused | Uncertain


@dataclass(frozen=True, slots=True)
class Receipt:
    """A downloaded file that belongs to an entry.

    Attributes:
        name: file name with a suffix, unique among the entry's files, the same on every attempt.
        path: where it lies.
        media_type: such as `application/pdf`.

    """

    name: str
    path: Path
    media_type: str


class ReceiptRefused(Exception):
    """The system did not take a receipt; the entry itself stays booked."""

    def __init__(self, failure: ItemFailure) -> None:
        self.failure = failure
        super().__init__(failure.kind.value)


class Books(Protocol):
    """How entries come into an accounting system. Part of an adapter beside its checks."""

    async def find(self, references: Collection[UUID]) -> Mapping[UUID, Booked]:
        """Find the entries that were booked under these references, whoever booked them and when (L57).

        Where there is none under a reference, one that rebooks it is found: a rebooking is under its own
        reference and under that of what it rebooks, so that neither is booked by mistake once more.

        Raises:
            CheckFailed: the system could not be asked; nothing may be booked then.

        """
        ...

    async def examine(self, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
        """Say which entries the system would not take, by reference; reads only (L64, E4-E6, E10).

        Raises:
            CheckFailed: the system could not be asked.

        """
        ...

    async def next_open_day(self, day: dt.date) -> dt.date | None:
        """Give the day, or the first one after it, on which entries are taken; None if there is none (L83).

        Raises:
            CheckFailed: the system could not be asked.

        """
        ...

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        """Book entries, at most `capabilities.batch_size`; one result an entry, in their order (L86).

        An entry that the system refuses does not hold up the others. Nothing is sent twice: where an
        answer was lost, the results say `Uncertain`. It never raises for what the system does.
        """
        ...

    async def attach(self, booked: Booked, receipt: Receipt) -> None:
        """Attach a file to an entry, once: a file of that name that is there already is left (L81).

        Raises:
            ReceiptRefused: it could not be attached.

        """
        ...
