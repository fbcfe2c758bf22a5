"""How Pleo's API is reached: its address, one kind of credentials, deadlines."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from adapters.fields import Address, OptionalSecret, Seconds, Secret, SettingsPart

NOT_ONE_CREDENTIAL = "not_one_credential"
"""Error type of settings that name no credentials for Pleo, or several."""


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
    api_key: OptionalSecret = Field(None, description="API key. Set this, or an access token, or OAuth.")
    access_token: OptionalSecret = Field(None, description="Access token, which nobody renews.")
    oauth: OAuthSettings | None = Field(None, description="OAuth client with a refresh token.")
    call_deadline_seconds: Seconds = Field(30, description="Time for one request to Pleo, in seconds.")
    retry_seconds: Seconds = Field(90, description="Time in which one call to Pleo is repeated, in seconds.")

    @model_validator(mode="after")
    def _one_kind_of_credentials(self) -> Self:
        kinds = [self.api_key, self.access_token, self.oauth]
        if sum(kind is not None for kind in kinds) != 1:
            raise PydanticCustomError(NOT_ONE_CREDENTIAL, "needs exactly one kind of credentials")
        return self
