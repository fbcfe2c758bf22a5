"""What people type into the run form is taken as meant."""

from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.accounting.failures import FailureReporting
from flows.parameters import ConnectionName, JobId, Reporting

ID = "98ae2af1-33e0-46e7-ba07-884446376a63"


@pytest.mark.parametrize("empty", [None, "", " ", "\n"])
@pytest.mark.parametrize("kind", [ConnectionName, JobId, Reporting])
def test_empty_is_none(kind: object, empty: str | None) -> None:
    assert TypeAdapter(kind).validate_python(empty) is None


def test_what_was_pasted_is_taken_without_its_line_end() -> None:
    assert TypeAdapter(JobId).validate_python(f" {ID}\n") == UUID(ID)
    assert TypeAdapter(ConnectionName).validate_python("acme-denmark\r\n") == "acme-denmark"
    assert TypeAdapter(Reporting).validate_python("specific ") is FailureReporting.SPECIFIC


def test_what_is_no_id_is_refused() -> None:
    with pytest.raises(ValidationError, match="valid UUID"):
        TypeAdapter(JobId).validate_python("the one of yesterday")
