"""What the configuration says of a Tryton."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from adapters.accounting.contract import AccountingSettings
from adapters.fields import Address, Secret


def _usable_name(value: str) -> str:
    if not value or not value.isprintable() or value != value.strip():
        raise ValueError("is empty, or begins or ends with a space")
    return value


def _usable_database(value: str) -> str:
    if "/" in value or value in {".", ".."}:
        raise ValueError("is not the name of a database, which has no slash")
    return value


Name = Annotated[str, AfterValidator(_usable_name)]
Database = Annotated[Name, AfterValidator(_usable_database)]


class TrytonSettings(AccountingSettings):
    """Which books of a Tryton entries go to, and the key that lets us in."""

    model_config = ConfigDict(title="Tryton")

    system: Literal["tryton"]
    url: Address = Field(description="Address of Tryton, without a database.")
    database: Database = Field(description="Name of the database.")
    application_key: Secret = Field(description="Validated application key of the integration's user.")
    journal: Name = Field(description="Code of the journal that entries are booked in, not its name.")
    company: Name | None = Field(None, description="Name of the company, if the user works for several.")
