"""How Pleo's API is reached: its address, one kind of credentials, deadlines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from adapters.fields import Address, OptionalSecret, Seconds, Secret, SettingsPart
from adapters.pleo.webhooks.signatures import usable_secret

NOT_ONE_CREDENTIAL = "not_one_credential"
"""Error type of settings that name no credentials for Pleo, or several."""


def _signing_secrets(value: SecretStr | None) -> SecretStr | None:
    """Accept one or more secrets, parted by spaces, so that one can replace another."""
    if value is not None and not (
        value.get_secret_value().split() and all(map(usable_secret, value.get_secret_value().split()))
    ):
        raise ValueError(
            "is not a secret of the form whsec_..., nor several parted by spaces; paste it again"
        )
    return value


def _basic_pair(value: SecretStr | None) -> SecretStr | None:
    """Accept a user name, a colon and a password."""
    if value is not None:
        text = value.get_secret_value()
        user, _, password = text.partition(":")
        if not (user and password and text.isascii() and text.isprintable()):
            raise ValueError("is not of the form user:password in plain ASCII characters")
    return value


def _api_key(value: SecretStr | None) -> SecretStr | None:
    """Refuse a key with a colon: as a user name (L5) it would end there (RFC 7617, section 2)."""
    if value is not None and ":" in value.get_secret_value():
        raise ValueError("has a colon, which no API key has; give the key alone, without user or password")
    return value


ApiKey = Annotated[OptionalSecret, AfterValidator(_api_key)]
SigningSecrets = Annotated[SecretStr | None, AfterValidator(_signing_secrets)]
BasicPair = Annotated[SecretStr | None, AfterValidator(_basic_pair)]


class OAuthSettings(SettingsPart):
    """An OAuth authorization that renews itself (L7-L11)."""

    client_id: str = Field(description="Client id of the integration at Pleo.")
    client_secret: Secret = Field(description="Client secret; the token file is encrypted with it.")
    refresh_token: Secret = Field(description="Refresh token from the authorization; later ones replace it.")
    token_url: Address = Field(
        "https://auth.pleo.io/oauth/token", description="Token endpoint of Pleo's authorization server."
    )
    token_file: Path = Field(
        description="File, on a disk that survives, in which each new pair of tokens is kept encrypted."
    )


class PleoSettings(SettingsPart):
    """How Pleo's API is reached. Exactly one kind of credentials is set."""

    base_url: Address = Field(
        description="Address of Pleo's API, for example https://external.staging.pleo.io."
    )
    api_key: ApiKey = Field(None, description="API key. Set this, or an access token, or OAuth.")
    access_token: OptionalSecret = Field(None, description="Access token, which nobody renews.")
    oauth: OAuthSettings | None = Field(None, description="OAuth client with a refresh token.")
    webhook_secret: SigningSecrets = Field(
        None,
        description="Signing secret of the webhook subscription, which `webhook subscribe` writes; "
        "several are parted by spaces.",
    )
    webhook_basic: BasicPair = Field(
        None, description="`user:password` that each delivery must carry besides its signature."
    )
    call_deadline_seconds: Seconds = Field(30, description="Time for one request to Pleo, in seconds.")
    retry_seconds: Seconds = Field(90, description="Time in which one call to Pleo is repeated, in seconds.")

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets one by one; none if none is set."""
        return tuple(self.webhook_secret.get_secret_value().split()) if self.webhook_secret else ()

    @model_validator(mode="after")
    def _one_kind_of_credentials(self) -> Self:
        kinds = [self.api_key, self.access_token, self.oauth]
        if sum(kind is not None for kind in kinds) != 1:
            raise PydanticCustomError(NOT_ONE_CREDENTIAL, "needs exactly one kind of credentials")
        return self
