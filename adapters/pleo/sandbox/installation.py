"""The installation: what Pleo knows of the connection and of its health (L13, L16)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from uuid import uuid4

from .clock import as_text
from .schemas import Json

_APPLICATION_ID = "a9911ca7-0000-4000-8000-00000000cafe"


@dataclass(slots=True)
class Installation:
    """The installation of the calling client. Moments are Unix seconds."""

    company_id: str
    created_at: float
    updated_at: float
    status: str = "ACTIVATED"
    error_code: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))

    def change(self, now: float, status: str, error_code: str | None, metadata: Json | None) -> None:
        """Record the state that the integration reports (L16); metadata stay when none are given."""
        self.status, self.error_code, self.updated_at = status, error_code, now
        if metadata is not None:
            self.metadata = dict(metadata)

    def describe(self) -> Json:
        """Give it as the contract's Installation; it is not wrapped in `data`."""
        return {
            "id": self.id,
            "applicationId": _APPLICATION_ID,
            "resource": f"urn:pleo:company:{self.company_id}",
            "status": self.status,
            "errorCode": self.error_code,
            "metadata": self.metadata,
            "createdAt": as_text(self.created_at),
            "updatedAt": as_text(self.updated_at),
        }

    def dump(self) -> Json:
        """Give everything as JSON."""
        names = ("company_id", "created_at", "updated_at", "status", "error_code", "metadata", "id")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def load(cls, saved: Json) -> Self:
        """Take up what `dump` gave."""
        return cls(**saved)
