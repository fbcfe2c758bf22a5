"""From an OpenAPI 3.0 schema to a validator that says in one sentence what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped]

Json = Any
"""Anything that a JSON document can hold."""

UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_ANNOTATIONS = {"description", "example", "default", "deprecated", "discriminator", "nullable"}


def expand(document: dict[str, Json], schema: Json) -> Json:
    """Resolve references and turn OpenAPI 3.0 wording into JSON Schema 2020-12.

    `nullable` becomes a second type, integer formats become bounds, annotations are dropped. The contract
    has no recursive schema, so references are simply replaced by what they point to.
    """
    if isinstance(schema, list):
        return [expand(document, part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return expand(document, resolve(document, schema["$ref"]))
    plain: dict[str, Json] = {}
    for key, value in schema.items():
        if key == "properties":
            plain[key] = {name: expand(document, part) for name, part in value.items()}
        elif key == "enum":
            plain[key] = value
        elif key not in _ANNOTATIONS and not key.startswith("x-"):
            plain[key] = expand(document, value)
    if schema.get("nullable") and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    low, high = _RANGES.get(schema.get("format", ""), (None, None))
    if low is not None:
        plain.setdefault("minimum", low)
        plain.setdefault("maximum", high)
    return plain


def resolve(document: dict[str, Json], reference: str) -> Json:
    """Follow a local reference such as `#/components/schemas/Cursor`."""
    node: Json = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def compile_check(schema: Json) -> Callable[[Json], str | None]:
    """Make a function that gives None for a valid value, else a sentence naming place and fault."""
    validator = jsonschema.Draft202012Validator(schema, format_checker=_FORMATS)

    def check(value: Json) -> str | None:
        fault = next(validator.iter_errors(value), None)
        if fault is None:
            return None
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault.absolute_path)
        return f"{place.lstrip('.')}: {fault.message}" if place else str(fault.message)

    return check


def is_uuid(value: object) -> bool:
    """Tell whether a text has the form of a UUID, dashes included."""
    return isinstance(value, str) and UUID_FORM.fullmatch(value) is not None


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return True
    if _MOMENT_FORM.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", value).upper())
    except ValueError:
        return False
    return True


def _is_uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return bool(urlsplit(value).scheme) and re.search(r"[\s<>\"{}|\\^`]", value) is None
    except ValueError:
        return False


_FORMATS = jsonschema.FormatChecker(formats=())
_FORMATS.checks("uuid")(lambda value: not isinstance(value, str) or is_uuid(value))
_FORMATS.checks("date-time")(_is_moment)
_FORMATS.checks("uri")(_is_uri)
