"""Forms of Tryton's records: the fields that are read of each model, by Tryton's own names."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field


class Company(BaseModel):
    """One company."""

    id: int
    rec_name: str


class CompanyMoney(BaseModel):
    """What a company keeps its books in: the id of a currency."""

    currency: int


class Currency(BaseModel):
    """One currency, by its ISO code."""

    code: str


class Journal(BaseModel):
    """One journal; journals belong to no company."""

    id: int


def _date(value: Any) -> Any:
    if isinstance(value, dict) and value.get("__class__") == "date":
        try:
            return dt.date(value["year"], value["month"], value["day"])
        except (KeyError, TypeError, OverflowError) as fault:  # pydantic takes a ValueError for a wrong form
            raise ValueError("is no date") from fault
    return value


Date = Annotated[dt.date, BeforeValidator(_date)]


class AccountFlaw(StrEnum):
    """Why an account takes no entries of this integration; to follow the account's code."""

    CLOSED = "is closed"
    HEADING = "is a heading without a type"
    NEEDS_PARTY = "needs a party on every line"
    OTHER_CURRENCY = "is kept in a second currency"


class Account(BaseModel):
    """One account of a company.

    Attributes:
        code: as people call it.
        type: id of its type; an account without one is a heading that takes no entries.
        closed: it takes no entries any more.
        party_required: each of its lines must name a party.
        second_currency: id of the currency that each of its lines must give an amount in, too.

    """

    id: int
    code: str
    type: int | None
    closed: bool
    party_required: bool = False
    second_currency: int | None = None

    @property
    def flaw(self) -> AccountFlaw | None:
        """Why it takes no entries, as the fields of Tryton's entry lines have it; None if it does."""
        if self.closed:
            return AccountFlaw.CLOSED
        if self.type is None:
            return AccountFlaw.HEADING
        if self.party_required:
            return AccountFlaw.NEEDS_PARTY
        return AccountFlaw.OTHER_CURRENCY if self.second_currency else None


class Period(BaseModel):
    """One accounting period of a company, with its first and last day."""

    id: int
    start_date: Date
    end_date: Date


class JournalPeriod(BaseModel):
    """One journal in one period, where Tryton keeps a state of the two together."""

    period: int = Field(description="Id of the period.")


class Move(BaseModel):
    """One entry. Tryton shows a draft, which has no number, by its id in brackets."""

    id: int
    description: str | None = None
    number: str | None = None
    state: str = "draft"

    @property
    def posted(self) -> bool:
        """Whether it is booked for good."""
        return self.state == "posted"

    @property
    def name(self) -> str:
        """What people find it by."""
        return self.number or f"({self.id})"


class Attachment(BaseModel):
    """One file beside a record."""

    id: int
