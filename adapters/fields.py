"""Types of settings that connections and adapters share: addresses, secrets, durations."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from adapters.http import can_be_requested

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


def _usable_address(value: str) -> str:
    """Accept an absolute http(s) URL without credentials, query or fragment; drop a last slash."""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or not can_be_requested(value):
        raise ValueError("is not an address such as https://host.example")
    if parts.username or parts.password:
        raise ValueError("holds credentials; put them into the settings made for them")
    if parts.query or parts.fragment:
        raise ValueError("must end before any '?' or '#'")
    return value.rstrip("/")


def _usable_secret(value: SecretStr) -> SecretStr:
    """Refuse what cannot travel in a header, before httpx would say so with the value in its text."""
    secret = value.get_secret_value()
    if not secret or not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ValueError("is empty or has characters that no credential has; paste it again")
    return value


def _usable_secret_if_any(value: SecretStr | None) -> SecretStr | None:
    return None if value is None else _usable_secret(value)


Address = Annotated[str, AfterValidator(_usable_address)]
Secret = Annotated[SecretStr, AfterValidator(_usable_secret)]
OptionalSecret = Annotated[SecretStr | None, AfterValidator(_usable_secret_if_any)]
"""Written so and not `Secret | None`: Prefect finds a block's secrets only below the outermost Annotated."""


class SettingsPart(BaseModel):
    """Base of all settings: unknown names are refused, and errors do not repeat what was given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
