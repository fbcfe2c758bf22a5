"""The README's tables are true to the code: they are compared with what the code says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from adapters.accounting.failures import CATALOGUE, DOCUMENTED_TEXT, Failure, FailureReporting
from adapters.accounting.registry import registered
from adapters.connection import ExportConnection
from adapters.environment import variable_name

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def failure_table() -> str:
    rows = ["| kind | what it means | who mends it | what to do | type told to Pleo: documented / specific |"]
    rows += ["| --- | --- | --- | --- | --- |"]
    for kind, row in CATALOGUE.items():
        failure = Failure(kind)
        told = " / ".join(failure.told_to_pleo(reporting).type for reporting in FailureReporting)
        rows.append(f"| `{kind}` | {failure.cause} | {row.who} | {failure.remedy} | {told} |")
    return "\n".join(rows)


def settings(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of every variable, nested ones included."""
    for name, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        if inner:
            for part in inner:
                yield from settings(part, (*path, name))
            continue
        default = field.default
        shown = "required" if default is PydanticUndefined else "" if default is None else f"`{default}`"
        yield variable_name((*path, name)), shown, field.description or ""


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType}:
        for part in get_args(annotation):
            yield from _models(part)


def settings_table() -> str:
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    seen: set[str] = set()
    for name, default, meaning in settings(ExportConnection):
        if name not in seen:
            rows.append(f"| `{name}` | {default} | {meaning} |")
        seen.add(name)
    return "\n".join(rows)


@pytest.mark.parametrize("table", [failure_table, settings_table])
def test_a_table_of_the_readme_is_what_the_code_says(table) -> None:
    expected = table()
    assert expected in README, f"put this into README.md:\n\n{expected}\n"


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, _, meaning in settings(ExportConnection) if not meaning] == []


def test_every_registered_system_is_named() -> None:
    assert [name for name in registered() if f"`{name}`" not in README] == []


def test_the_documented_text_stands_in_the_readme() -> None:
    assert DOCUMENTED_TEXT in README
