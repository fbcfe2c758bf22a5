"""What every accounting system offers to the flows: identity, capabilities, three checks, and its books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from pydantic import Field

from adapters.accounting.booking import Books
from adapters.accounting.cautions import Caution
from adapters.accounting.failures import Failure, FailureKind
from adapters.fields import SettingsPart


class Check(StrEnum):
    """The checks of pre-export validation in their order (L42, L48); the first failure ends it."""

    REACHABILITY = "reachability"
    AUTH = "auth"
    WRITABILITY = "writability"


class Verdict(StrEnum):
    """How one check ended; `warning` still means ready."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    NOT_RUN = "not run"


class AccountingSettings(SettingsPart):
    """Base of an adapter's settings; `system` tells the adapters apart in the configuration."""

    system: str


@dataclass(frozen=True, slots=True)
class Attachments:
    """Which files a system takes beside an entry.

    Attributes:
        max_bytes: size of one file at most.
        suffixes: file name endings that are taken, lowercase and with the dot; Pleo sends those of L82.

    """

    max_bytes: int
    suffixes: frozenset[str]


PLEO_ATTACHMENTS = Attachments(
    30 * 1024 * 1024,
    frozenset({".doc", ".docx", ".pdf", ".txt", ".jpg", ".jpeg", ".png", ".xls", ".xlsx"}),
)
"""All that Pleo can send (L82): for systems that set no narrower limit."""

NO_ATTACHMENTS = Attachments(0, frozenset())
"""Nothing at all."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do. Flows ask this declaration, never the adapter's name.

    Attributes:
        journal_entries: balanced entries can be booked (L69).
        accounts_payable: invoices and payments of vendors can be booked (L46, L69).
        attachments: files that can be kept beside an entry; None if it keeps none.
        multi_currency: an entry may be in another currency than the books.
        find_by_reference: an entry can be found again by the reference that was booked with it (L57).
        batch_size: entries that one request can create; 1 if they go one by one.

    """

    journal_entries: bool
    accounts_payable: bool
    attachments: Attachments | None
    multi_currency: bool
    find_by_reference: bool
    batch_size: int


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """How one check ended.

    Attributes:
        check: which one.
        verdict: passed, warning, failed, or not run because an earlier check failed.
        seconds: wall time from the check's begin to its verdict.
        failure: why it failed; None unless failed.
        cautions: what a check that passed found odd.

    """

    check: Check
    verdict: Verdict
    seconds: float = 0.0
    failure: Failure | None = None
    cautions: tuple[Caution, ...] = ()

    def after_attempts(self, number: int) -> CheckOutcome:
        """Give the same outcome, saying that it is the last of several attempts."""
        if self.failure is None:
            return self
        evidence = f"{self.failure.evidence}; {number} attempts".lstrip("; ")
        return replace(self, failure=replace(self.failure, evidence=evidence))

    @property
    def passed(self) -> bool:
        """Whether the next check may run."""
        return self.verdict in {Verdict.PASSED, Verdict.WARNING}


class CheckFailed(Exception):
    """Raised by an adapter's check: the system is not ready, and this is why."""

    def __init__(self, kind: FailureKind, *, evidence: str = "", **facts: str) -> None:
        self.failure = Failure(kind, facts, evidence)
        super().__init__(kind.value)


class BookingAccounts(SettingsPart):
    """Accounts of the accounting system that entries are booked against (L77)."""

    wallet: str | None = Field(None, description="Account of the Pleo wallet.")
    out_of_pocket: str | None = Field(None, description="Account of what is owed to employees.")
    contra: str | None = Field(None, description="Counter account where Pleo names none.")
    fallback_payables: str | None = Field(None, description="Payables account of vendors that are not found.")

    def named(self) -> dict[str, str]:
        """Give the configured ones by role."""
        return {role: account for role, account in self if account}


@runtime_checkable
class Checks(Protocol):
    """The three checks of one accounting system of one company.

    A check returns what it found odd, or raises `CheckFailed`. It leaves no trace in the system, it is
    ended from outside at its deadline, and it may be called any number of times.

    Attributes:
        title: the system's name as people write it.
        capabilities: what it can do.

    """

    title: str
    capabilities: Capabilities

    async def check_reachability(self) -> Sequence[Caution]:
        """Prove that the system answers as itself, not some other server."""
        ...

    async def check_auth(self) -> Sequence[Caution]:
        """Prove that the credentials are accepted."""
        ...

    async def check_writability(self) -> Sequence[Caution]:
        """Prove that a new entry could be created now, without creating one."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class AccountingSystem(Checks, Books, Protocol):
    """One accounting system of one company: its checks, and how entries come into it."""
