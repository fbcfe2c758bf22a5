"""The settings of one connection: one Pleo company joined to one company of an accounting system (L15).

The same schema is read from the environment or `.env` (`adapters.environment`) and, under a name, from
a Prefect block (`flows.blocks`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Union
from uuid import UUID

from pydantic import Field

from adapters.accounting.booking import Posting
from adapters.accounting.contract import AccountingSettings, BookingAccounts
from adapters.accounting.failures import FailureReporting
from adapters.accounting.registry import registered
from adapters.fields import Seconds, SettingsPart
from adapters.pleo.settings import PleoSettings

if TYPE_CHECKING:
    AnyAccountingSettings = AccountingSettings
else:
    AnyAccountingSettings = Annotated[
        Union[tuple(adapter.Settings for adapter in registered().values())],  # noqa: UP007
        Field(discriminator="system"),
    ]


class ClosedPeriod(StrEnum):
    """What becomes of an item whose date lies in a closed period (L83)."""

    FAIL = "fail"
    NEXT_OPEN = "next_open"


class WithoutReceipt(StrEnum):
    """What becomes of an item whose receipt cannot be had (L81)."""

    FAIL = "fail"
    BOOK = "book"


class ExportConnection(SettingsPart):
    """One Pleo company joined to one company of an accounting system; see the module's docstring."""

    company_id: UUID = Field(description="Id of the company in Pleo.")
    pleo: PleoSettings = Field(
        title="Pleo", description="How Pleo is reached, with exactly one kind of credentials."
    )
    accounting: AnyAccountingSettings = Field(
        title="Accounting system", description="Which system it is, where it is, and how it lets us in."
    )
    accounts: BookingAccounts = Field(
        BookingAccounts(), title="Accounts", description="Accounts that entries are booked against."
    )
    posting: Posting = Field(Posting.DRAFT, description="How entries are booked.")
    closed_period: ClosedPeriod = Field(
        ClosedPeriod.FAIL,
        description="An item dated in a closed period fails, or moves to the next open day.",
    )
    without_receipt: WithoutReceipt = Field(
        WithoutReceipt.FAIL, description="An item whose receipt cannot be had fails, or is booked."
    )
    failure_reporting: FailureReporting = Field(
        FailureReporting.DOCUMENTED,
        description="What Pleo is told when a check fails: the documented text, or cause and remedy.",
    )
    report_health: bool = Field(
        False,
        description="Whether Pleo is told when the accounting system refuses the credentials, and when that "
        "is mended.",
    )
    check_deadline_seconds: Seconds = Field(30, description="Time for one check, in seconds.")
    validation_deadline_seconds: Seconds = Field(
        120, description="Time for all checks, retries included, in seconds."
    )
