"""Orders to the control API, read from JSON strictly: a misspelt field is an error, never ignored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from .defaults import COMPANY_ID
from .faults import Fault
from .layers import serialise
from .recipe import MOST_ITEMS, Recipe
from .refusals import InvalidRequest
from .schemas import Json, is_uuid
from .settings import SandboxSettings
from .world import NewJob

_TEXT, _FLAG, _WHOLE, _NUMBER, _LIST, _MAP = str, bool, int, (int, float), list, dict
_OLDEST_JOB_SECONDS = 10 * 366 * 24 * 3600
_LONGEST_ORDINAL = len(str(MOST_ITEMS))

JOB_FIELDS: Final[dict[str, Any]] = {
    "items": (int, list),
    "companyId": _TEXT,
    "vendorBasedBookkeeping": _FLAG,
    "isInteractive": _FLAG,
    "status": _TEXT,
    "seed": _WHOLE,
    "currency": _TEXT,
    "accounts": _LIST,
    "contraAccount": (str, type(None)),
    "types": _MAP,
    "overrides": _MAP,
    "withoutAccount": _LIST,
    "missingInData": _LIST,
    "extraInData": _WHOLE,
    "itemStatuses": _MAP,
    "ageSeconds": _NUMBER,
    "allowSecond": _FLAG,
}

FAULT_FIELDS: Final[dict[str, Any]] = {
    "kind": _TEXT,
    "method": _TEXT,
    "path": _TEXT,
    "operation": _TEXT,
    "call": _WHOLE,
    "times": (int, type(None)),
    "delaySeconds": _NUMBER,
    "status": _WHOLE,
    "headers": _MAP,
    "body": (str, dict, list),
    "chunkBytes": _WHOLE,
    "intervalSeconds": _NUMBER,
}


def read_order(order: Json, fields: dict[str, Any]) -> dict[str, Json]:
    """Check the fields of an order.

    Raises:
        InvalidRequest: not an object, an unknown field, or a value of the wrong type.

    """
    if not isinstance(order, dict):
        raise InvalidRequest("The body must be a JSON object.")
    for name, value in order.items():
        if name not in fields:
            raise InvalidRequest(f"There is no field {name!r}; there are {', '.join(fields)}.")
        kinds = fields[name] if isinstance(fields[name], tuple) else (fields[name],)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise InvalidRequest(f"{name} has a value of the wrong type.")
    return order


def read_new_job(order: dict[str, Json]) -> NewJob:
    """Read how a job is to be made from an order that `read_order` passed.

    Raises:
        InvalidRequest: the company id is no UUID, or the age is out of bounds.

    """
    company = order.get("companyId", COMPANY_ID).lower()
    if not is_uuid(company):
        raise InvalidRequest("companyId is not a UUID.")
    age = order.get("ageSeconds", 0.0)
    if not 0 <= age <= _OLDEST_JOB_SECONDS:
        raise InvalidRequest("ageSeconds must be between 0 and ten years.")
    return NewJob(
        company_id=company,
        vendor_based=order.get("vendorBasedBookkeeping", False),
        interactive=order.get("isInteractive", True),
        age_seconds=age,
        allow_second=order.get("allowSecond", False),
    )


def read_recipe(
    order: dict[str, Json], settings: SandboxSettings, next_seed: int, types: tuple[str, ...]
) -> Recipe:
    """Read what a job's items are made of. A list of items is so many items with those fields replaced.

    Raises:
        InvalidRequest: an ordinal beyond the items, an unknown type, an override that is no object, an id
            that is no UUID, an account that is no text.

    """
    items = order.get("items", 3)
    overrides = {_ordinal(key): value for key, value in order.get("overrides", {}).items()}
    if isinstance(items, list):
        overrides = dict(enumerate(items, start=1)) | overrides
        items = len(items)
    if not all(isinstance(fields, dict) for fields in overrides.values()):
        raise InvalidRequest("Each item or override must be a JSON object.")
    if not all(is_uuid(fields.get("accountingEntryId", COMPANY_ID)) for fields in overrides.values()):
        raise InvalidRequest("accountingEntryId is not a UUID.")  # jobs find their items by it
    weights = order.get("types")
    if weights is not None and not all(
        kind in types and type(weight) is int and weight > 0 for kind, weight in weights.items()
    ):
        raise InvalidRequest("types must map the contract's item types to whole weights above 0.")
    accounts = tuple(order.get("accounts", settings.expense_accounts))
    if not all(isinstance(code, str) for code in accounts):
        raise InvalidRequest("accounts must be a list of account codes.")
    recipe = Recipe(
        items=items,
        seed=order.get("seed", next_seed),
        accounts=accounts,
        contra_account=order.get("contraAccount", settings.contra_account),
        currency=order.get("currency", "EUR"),
        overrides=overrides,
        without_account=frozenset(_ordinals(order, "withoutAccount")),
        missing_in_data=frozenset(_ordinals(order, "missingInData")),
        extra_in_data=order.get("extraInData", 0),
    )
    return replace(recipe, types=weights) if weights else recipe


def read_fault(order: dict[str, Json], fault_id: int) -> Fault:
    """Read a fault from an order that `read_order` passed.

    Raises:
        InvalidRequest: `kind` is missing or unknown, or a figure is out of bounds.

    """
    headers = {str(name): str(text) for name, text in order.get("headers", {}).items()}
    told = order.get("body", "")
    if isinstance(told, str):
        body = told.encode()
    else:
        body = serialise(told)
        headers.setdefault("content-type", "application/json;charset=UTF-8")
    return Fault(
        id=fault_id,
        kind=order.get("kind", ""),
        method=order.get("method", "*").upper(),
        path=order.get("path", "**"),
        operation=order.get("operation"),
        first=order.get("call", 1),
        times=order.get("times", 1),
        delay_seconds=order.get("delaySeconds", 0.0),
        status=order.get("status", 503),
        headers=headers,
        body=body,
        chunk_bytes=order.get("chunkBytes", 1),
        interval_seconds=order.get("intervalSeconds", 0.1),
    )


def read_item_statuses(order: dict[str, Json]) -> dict[int, str]:
    """Read the states that items are to have from the start, by ordinal."""
    return {_ordinal(key): str(value) for key, value in order.get("itemStatuses", {}).items()}


def _ordinal(key: str | int) -> int:
    """Read the number of an item: the key of a JSON object, or a number where Python gives the order."""
    text = str(key)
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ORDINAL):
        raise InvalidRequest(f"{text[:20]!r} is not the number of an item.")
    return int(text)


def _ordinals(order: dict[str, Json], name: str) -> list[int]:
    ordinals = order.get(name, [])
    if not all(type(each) is int for each in ordinals):
        raise InvalidRequest(f"{name} must be a list of item numbers.")
    return list(ordinals)
