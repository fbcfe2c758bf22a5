"""An accounting system that is none: its settings say which check goes wrong, how, and how often.

With it a person sees each failure end to end, in the Prefect UI too, without breaking a real system.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from adapters.accounting.booking import Booked, BookingResult, Entry, Receipt, ReceiptRefused, Refused
from adapters.accounting.cautions import Caution, CautionKind
from adapters.accounting.contract import (
    AccountingSettings,
    BookingAccounts,
    Capabilities,
    Check,
    CheckFailed,
)
from adapters.accounting.failures import FailureKind
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind

_VARIABLE = "PLEO_EXPORT_ACCOUNTING__"


class Behaviour(StrEnum):
    """What the chosen check does."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    HANG = "hang"
    CRASH = "crash"


class FaultySettings(AccountingSettings):
    """Which check goes wrong, how, and how often."""

    model_config = ConfigDict(title="Faulty")

    system: Literal["faulty"]
    check: Check = Field(Check.REACHABILITY, description="Check that goes wrong.")
    behaviour: Behaviour = Field(Behaviour.PASS, description="What that check does.")
    failure: FailureKind | None = Field(
        None,
        description="With behaviour fail: kind of failure, see the table of failures.",
        validate_default=True,
    )
    times: int | None = Field(
        None, ge=1, description="How often it goes wrong before it passes; empty: always."
    )
    state_file: Path | None = Field(
        None, description="File that counts how often it went wrong; without it each run counts anew."
    )

    @field_validator("failure")
    @classmethod
    def _fits_the_behaviour(cls, value: FailureKind | None, info: ValidationInfo) -> FailureKind | None:
        fails = info.data.get("behaviour") is Behaviour.FAIL
        if fails and value is None:
            raise ValueError(f"is not set although {_VARIABLE}BEHAVIOUR is fail; name a kind of failure")
        if value and not fails:
            raise ValueError(
                f"is set although {_VARIABLE}BEHAVIOUR is not fail; remove it or set that to fail"
            )
        if value and value.concerns_pleo:
            raise ValueError("names a failure of Pleo; name one of an accounting system")
        return value


class _UnforeseenError(Exception):
    """What an adapter with a defect would raise."""


class FaultySystem:
    """See the module's docstring. It takes no entries, so nothing can be lost in it."""

    Settings = FaultySettings
    title = "Faulty"
    capabilities = Capabilities(
        journal_entries=True,
        accounts_payable=False,
        attachments=None,
        multi_currency=False,
        find_by_reference=False,
        batch_size=1,
    )

    def __init__(self, settings: FaultySettings, *, accounts: BookingAccounts, deadline: float) -> None:
        self._settings = settings
        self._deadline = deadline
        self._missing = " and ".join(accounts.named().values()) or "journal GENERAL"
        self._counted = 0

    async def aclose(self) -> None:
        """Nothing is open."""

    async def check_reachability(self) -> Sequence[Caution]:
        """Do what the settings say of this check."""
        return await self._play(Check.REACHABILITY)

    async def check_auth(self) -> Sequence[Caution]:
        """Do what the settings say of this check."""
        return await self._play(Check.AUTH)

    async def check_writability(self) -> Sequence[Caution]:
        """Do what the settings say of this check."""
        return await self._play(Check.WRITABILITY)

    async def find(self, references: Collection[UUID]) -> Mapping[UUID, Booked]:  # noqa: ARG002
        """Find nothing: it keeps nothing."""
        return {}

    async def examine(self, entries: Sequence[Entry]) -> Mapping[UUID, ItemFailure]:  # noqa: ARG002
        """Object to nothing yet."""
        return {}

    async def next_open_day(self, day: dt.date) -> dt.date | None:
        """Have every day open."""
        return day

    async def book(self, entries: Sequence[Entry]) -> Sequence[BookingResult]:
        """Refuse every entry: what a stand-in took would be lost."""
        refusal = ItemFailure(
            ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": "Faulty is no accounting system."}
        )
        return [Refused(entry.reference, refusal) for entry in entries]

    async def attach(self, booked: Booked, receipt: Receipt) -> None:  # noqa: ARG002
        """Refuse every file."""
        raise ReceiptRefused(ItemFailure(ItemFailureKind.RECEIPT_NOT_UPLOADED))

    async def _play(self, check: Check) -> Sequence[Caution]:
        if check is not self._settings.check or self._is_over():
            return ()
        match self._settings.behaviour:
            case Behaviour.FAIL if self._settings.failure:
                facts = {
                    "user": "user trial",
                    "missing": self._missing,
                    "credential": "the API key of user trial",
                }
                raise CheckFailed(self._settings.failure, evidence="as configured", **facts)
            case Behaviour.HANG:
                await asyncio.sleep(self._deadline * 2)
                raise CheckFailed(FailureKind.TIMED_OUT, evidence="as configured")
            case Behaviour.CRASH:
                raise _UnforeseenError
            case Behaviour.WARN:
                return (Caution(CautionKind.BOOKS_HAVE_ERRORS, {"system": self.title, "count": "1"}),)
            case _:
                return ()

    def _is_over(self) -> bool:
        """Count this time, and tell whether the check has gone wrong often enough already."""
        file, times = self._settings.state_file, self._settings.times
        if times is None:
            return False
        if file and file.exists():
            self._counted = len(file.read_bytes())
        if self._counted >= times:
            return True
        self._counted += 1
        if file:
            with file.open("ab") as counter:
                counter.write(b"x")
        return False
