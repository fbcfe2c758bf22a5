"""Value lists of Pleo's contract, to hold the product's own against."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from adapters.pleo.sandbox.contract import DOCUMENT


@cache
def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    return schemas


def values_of(schema: str) -> set[str | None]:
    """The values that an enumeration of the contract has; None where null is one of them."""
    return set(_schemas()[schema]["enum"])
