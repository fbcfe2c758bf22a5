"""Types of the flows' parameters: the words that Prefect's run form shows, and what people type there."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from adapters.accounting.failures import FailureReporting


def as_typed(value: Any) -> Any:
    """Give what a person meant: a pasted text without the spaces and line ends around it, None if empty."""
    return (value.strip() or None) if isinstance(value, str) else value


# The titles are the labels of the form's tabs, beside "None".
ConnectionName = Annotated[Annotated[str, Field(title="by name")] | None, BeforeValidator(as_typed)]
JobId = Annotated[Annotated[UUID, Field(title="by id")] | None, BeforeValidator(as_typed)]
Reporting = Annotated[Annotated[FailureReporting, Field(title="choose")] | None, BeforeValidator(as_typed)]
