"""An accounting system of the tests that is small and true: its books are a file, and outlive the process.

It takes what it is given, twice if it is given twice, so that a test finds what was booked twice. A test
says what goes wrong by a function that is called at each moment of its work and may raise:
`reachability`, `auth`, `writability`, `find`, `examine`, `book` (nothing is written yet), `booked` (it is
written, the answer is not out), `attach`. A `CheckFailed` is a fault of the system; anything else is a
defect or the end of the process.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from adapters.accounting.booking import (
    Booked,
    BookingResult,
    Entry,
    Receipt,
    ReceiptRefused,
    Refused,
    Uncertain,
)
from adapters.accounting.cautions import Caution
from adapters.accounting.contract import Attachments, Capabilities, CheckFailed
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind

Trouble = Callable[[str], None]

_UNREACHABLE = ItemFailure(ItemFailureKind.SYSTEM_UNREACHABLE)


def no_trouble(_moment: str) -> None:
    return


class FiledBooks:
    """See the module's docstring.

    Attributes:
        file: one JSON object a line: the reference and the id of an entry.
        trouble: called at each moment with its name.

    """

    title = "Filed Books"

    def __init__(
        self,
        file: Path,
        trouble: Trouble = no_trouble,
        *,
        batch_size: int = 3,
        attachments: Attachments | None = None,
    ) -> None:
        self.file = file
        self.trouble = trouble
        self.capabilities = Capabilities(
            journal_entries=True,
            accounts_payable=False,
            attachments=attachments,
            multi_currency=False,
            find_by_reference=True,
            batch_size=batch_size,
        )

    @property
    def references(self) -> list[UUID]:
        """Of all entries, as often as each was booked."""
        return [reference for reference, _ in self.entries()]

    async def aclose(self) -> None:
        self.trouble("aclose")

    async def check_reachability(self) -> Sequence[Caution]:
        self.trouble("reachability")
        return ()

    async def check_auth(self) -> Sequence[Caution]:
        self.trouble("auth")
        return ()

    async def check_writability(self) -> Sequence[Caution]:
        self.trouble("writability")
        return ()

    async def find(self, references: Collection[UUID]) -> Mapping[UUID, Booked]:
        self.trouble("find")
        return {each: Booked(each, name) for each, name in self.entries() if each in references}

    async def examine(self, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:
        self.trouble("examine")
        return {}

    async def next_open_day(self, day: dt.date) -> dt.date | None:
        return day

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        return [self._book(entry.reference) for entry in entries]

    async def attach(self, booked: Booked, receipt: Receipt) -> None:
        try:
            self.trouble("attach")
        except CheckFailed:
            raise ReceiptRefused(ItemFailure(ItemFailureKind.RECEIPT_NOT_UPLOADED)) from None

    def _book(self, reference: UUID) -> BookingResult:
        try:
            self.trouble("book")
        except CheckFailed:
            return Refused(reference, _UNREACHABLE)
        name = f"entry {len(self.entries()) + 1}"
        with self.file.open("a") as books:
            books.write(json.dumps([str(reference), name]) + "\n")
        try:
            self.trouble("booked")
        except CheckFailed:
            return Uncertain(reference, _UNREACHABLE)
        return Booked(reference, name, at=dt.datetime.now(dt.UTC))

    def entries(self) -> list[tuple[UUID, str]]:
        """Reference and id of each entry, in the order of booking."""
        if not self.file.exists():
            return []
        lines = (json.loads(line) for line in self.file.read_text().splitlines())
        return [(UUID(reference), name) for reference, name in lines]
