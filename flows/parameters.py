"""Types of the flows' parameters, with the words that Prefect's run form shows for them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from adapters.accounting.failures import FailureReporting

ConnectionName = Annotated[str, Field(title="by name")]
JobId = Annotated[UUID, Field(title="by id")]
Reporting = Annotated[FailureReporting, Field(title="choose")]
