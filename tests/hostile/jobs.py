"""Jobs as a strange Pleo could answer with."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from adapters.pleo.models import ExportJob


def a_job(*, status: str, reason: str, kind: str) -> ExportJob:
    return ExportJob(
        id=uuid4(),
        company_id=uuid4(),
        status=status,
        created_at=datetime.now(UTC),
        expires_in=3600,
        number_of_items=1,
        failure_reason=reason,
        failure_reason_type=kind,
    )
