"""Pleo's export items (the data layer): what there is to book about each entry of a job.

Money is exact: hundredths of the currency's unit as `int`, or as `Decimal` where Pleo sends a
fraction (U29). Slots keep ten thousand items small.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic.dataclasses import dataclass
from typing_extensions import Annotated, TypeVar  # noqa: UP035

from adapters.pleo.models import WIRE, Page

_LARGEST = 10**40
"""Hundredths that an amount may have: `1E+999999999` of them would fill the memory as an `int`."""

_BOUNDED = Field(ge=-_LARGEST, le=_LARGEST, max_digits=420, decimal_places=400)

Hundredths = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)] | Annotated[Decimal, _BOUNDED]


def _empty_if_null(value: object) -> object:
    return [] if value is None else value


T = TypeVar("T")
ListOrNull = Annotated[list[T], BeforeValidator(_empty_if_null), Field(default_factory=list)]


@dataclass(frozen=True, slots=True, config=WIRE)
class Money:
    """An amount in hundredths of the unit of `currency`: 12.34 EUR is 1234 (L61)."""

    currency: str
    value: Hundredths


@dataclass(frozen=True, slots=True, config=WIRE)
class MoneyPair:
    """One amount in the supplier's currency and in the wallet's."""

    in_supplier_currency: Money
    in_wallet_currency: Money


@dataclass(frozen=True, slots=True, config=WIRE)
class Account:
    """A category or contra account; `code` is the account in the accounting system (L76)."""

    id: UUID
    name: str
    code: str | None = None
    identifier: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Tag:
    """A tag of a line, in its group."""

    id: UUID
    code: str
    group_code: str


@dataclass(frozen=True, slots=True, config=WIRE)
class Tax:
    """Tax of a line; `rate` is a fraction, 0.2 being 20 % (L62)."""

    id: UUID
    rate: Annotated[Decimal, _BOUNDED]
    type: str
    amount: MoneyPair
    code: str | None = None
    ingoing_tax_account: str | None = None
    outgoing_tax_account: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class ExportItemLine:
    """One line of an entry; an entry that was split has several."""

    accounting_entry_line_id: UUID
    line_amount: MoneyPair
    net_amount: MoneyPair
    account: Account | None = None
    tags: ListOrNull[Tag] = Field(default_factory=list)
    tax: Tax | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Bookkeeping:
    """How the entry is to be booked: `none`, `journal` or `accounts_payable` (L69)."""

    method: str


@dataclass(frozen=True, slots=True, config=WIRE)
class Vendor:
    """Vendor of an entry where vendor-based bookkeeping is on (L72)."""

    id: UUID
    name: str
    default_currency: str
    code: str | None = None
    external_id: str | None = None
    country: str | None = None
    registration_number: str | None = None
    tax_registration_number: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Supplier:
    """Merchant of an entry; passed over where a vendor is given (L72)."""

    name: str | None = None
    code: str | None = None
    account: str | None = None
    tax_identifier: str | None = None
    category_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Person:
    """The user or the team of an entry."""

    id: UUID
    name: str
    code: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class ServicePeriod:
    """When the service was rendered; it never moves the posting date (L84)."""

    to: datetime
    from_: datetime = Field(alias="from")


@dataclass(frozen=True, slots=True, config=WIRE)
class File:
    """A receipt; the link is good for 24 hours from the fetch (L63). `size` is in bytes."""

    url: str
    type: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class InvoiceInformation:
    """Invoice data; dates come as a date or as a moment and are kept as sent."""

    invoice_number: str
    invoice_date: str
    status: str
    due_date: str | None = None
    payment_date: str | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class AdditionalInformation:
    """Pleo's book id and what goes with it (L79)."""

    reconciliation_id: str
    attendees: ListOrNull[str | None] = Field(default_factory=list)
    reconciled_entries: ListOrNull[str | None] = Field(default_factory=list)
    invoice_information: InvoiceInformation | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class ExportItem:
    """The accounting payload of one entry. `date` is the bookkeeping date, in UTC (U34)."""

    accounting_entry_id: UUID
    company_id: UUID
    type: str
    date: datetime
    amount: MoneyPair
    accounting_entry_lines: list[ExportItemLine]
    additional_information: AdditionalInformation
    sub_type: str | None = None
    note: str | None = None
    bookkeeping: Bookkeeping | None = None
    contra_account: Account | None = None
    files: ListOrNull[File] = Field(default_factory=list)
    service_period: ServicePeriod | None = None
    supplier: Supplier | None = None
    team: Person | None = None
    user: Person | None = None
    vendor: Vendor | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class UnreadableItem:
    """An entry whose payload has another form than documented: it is failed alone, not the job (L68)."""

    accounting_entry_id: UUID


EXPORT_ITEM_PAGE = TypeAdapter(Page[ExportItem])
EXPORT_ITEM_PAGE_LENIENT = TypeAdapter(
    Page[Annotated[ExportItem | UnreadableItem, Field(union_mode="left_to_right")]]
)
