"""The contract: operations and their checks, read from the OpenAPI document so that nothing can drift."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from .refusals import InvalidRequest
from .schemas import Json, compile_check, expand, resolve

DOCUMENT = Path(__file__).resolve().parents[1] / "openapi.yaml"
Check = Callable[[Json], str | None]
_INTEGER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """One query parameter: its name, the type of one value, and the check of the whole."""

    name: str
    kind: str
    required: bool
    check: Check

    def read(self, texts: list[str]) -> Json:
        """Turn the texts of the query into the parameter's value.

        Raises:
            InvalidRequest: given twice though not a list, or not valid by its schema.

        """
        value: Json
        if self.kind == "array":
            value = texts
        elif len(texts) > 1:
            raise InvalidRequest(f"{self.name} is given more than once.")
        elif self.kind == "integer":
            if _INTEGER.fullmatch(texts[0]) is None:
                raise InvalidRequest(f"{self.name} is not an integer.")
            value = int(texts[0])
        else:
            value = texts[0]
        if fault := self.check(value):
            raise InvalidRequest(f"{self.name}: {fault}")
        return value


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract.

    Attributes:
        name: its `operationId`.
        path: matches a whole path and names its parts.
        query: checks by parameter name.
        body: check of the request body, None when the operation takes none.
        most_items: `maxItems` of a body that is an array; more is 413, not 400 (L87).
        statuses: statuses that the contract lists.

    """

    name: str
    method: str
    template: str
    path: re.Pattern[str]
    query: tuple[QueryParameter, ...]
    body: Check | None
    most_items: int | None
    statuses: frozenset[int]

    def read_query(self, given: Mapping[str, list[str]]) -> dict[str, Json]:
        """Check the query and give its typed values; parameters that the contract does not know are ignored.

        Raises:
            InvalidRequest: a value breaks the contract, or a required one is absent.

        """
        values: dict[str, Json] = {}
        for parameter in self.query:
            if parameter.name in given:
                values[parameter.name] = parameter.read(given[parameter.name])
            elif parameter.required:
                raise InvalidRequest(f"{parameter.name} is missing.")
        return values

    def check_body(self, body: Json) -> None:
        """Hold a body against its schema.

        Raises:
            InvalidRequest: it does not fit.

        """
        if self.body is not None and (fault := self.body(body)):
            raise InvalidRequest(fault)


class Contract:
    """All operations of the document, found by method and path."""

    def __init__(self, document: dict[str, Json]) -> None:
        self.document = document
        self.operations = [
            _operation(document, template, method, item)
            for template, item in document["paths"].items()
            for method in item
            if method in {"get", "put", "post", "delete", "patch"}
        ]
        types = document["components"]["schemas"]["ExportItemType"]["enum"]
        self.item_types: tuple[str, ...] = tuple(types)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | list[str]:
        """Find the operation for a request and the named parts of its path.

        Gives the methods that the path has when this one is not among them; none for an unknown path.
        """
        allowed: list[str] = []
        for operation in self.operations:
            if match := operation.path.fullmatch(path):
                if operation.method == method:
                    return operation, match.groupdict()
                allowed.append(operation.method)
        return allowed


@lru_cache(maxsize=1)
def load_contract() -> Contract:
    """Read the contract that ships with the product; done once a process."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with DOCUMENT.open(encoding="utf-8") as source:
        return Contract(yaml.load(source, Loader=loader))  # noqa: S506 - both loaders are safe ones


def _operation(document: dict[str, Json], template: str, method: str, item: dict[str, Json]) -> Operation:
    declared = item[method]
    parameters = [
        resolve(document, parameter["$ref"]) if "$ref" in parameter else parameter
        for parameter in [*item.get("parameters", []), *declared.get("parameters", [])]
    ]
    body = declared.get("requestBody")
    schema = expand(document, body["content"]["application/json"]["schema"]) if body else None
    return Operation(
        name=declared["operationId"],
        method=method.upper(),
        template=template,
        path=_path_pattern(template),
        query=tuple(_query_parameter(document, each) for each in parameters if each["in"] == "query"),
        body=compile_check(schema) if schema is not None else None,
        most_items=schema.get("maxItems") if schema is not None else None,
        statuses=frozenset(int(status) for status in declared["responses"]),
    )


def _path_pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(f"(?P<{part}>[^/]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts))
    )


def _query_parameter(document: dict[str, Json], declared: dict[str, Json]) -> QueryParameter:
    schema = expand(document, declared["schema"])
    return QueryParameter(
        name=declared["name"],
        kind=schema.get("type", "string"),
        required=bool(declared.get("required")),
        check=compile_check(schema),
    )
