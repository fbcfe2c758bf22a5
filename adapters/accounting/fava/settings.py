"""The settings of a Fava ledger."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from adapters.accounting.contract import AccountingSettings
from adapters.fields import Address, OptionalSecret, Secret

VARIABLE = "PLEO_EXPORT_ACCOUNTING__"


def _usable_user_name(value: str) -> str:
    if not value.isprintable() or ":" in value or value != value.strip() or not value:
        raise ValueError("is empty or has characters that no user name has; a colon is one of them")
    return value


class FavaSettings(AccountingSettings):
    """Where a Fava ledger is served, and how a proxy in front of it lets us in.

    Fava knows no users. Name and password are those that a proxy asks for; both or neither are set.
    """

    model_config = ConfigDict(title="Fava")

    system: Literal["fava"]
    url: Address = Field(description="Address of Fava; it must name the ledger if Fava serves several.")
    username: Annotated[str, AfterValidator(_usable_user_name)] | None = Field(
        None, description="User name that a proxy in front of Fava asks for."
    )
    password: OptionalSecret = Field(None, description="That user's password.", validate_default=True)

    @field_validator("password")
    @classmethod
    def _both_or_neither(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        username = info.data.get("username")
        if username and value is None:
            raise ValueError(f"is not set although {VARIABLE}USERNAME is; set both or neither")
        if value is not None and not username:
            raise ValueError(f"is set without {VARIABLE}USERNAME; set both or neither")
        return value
