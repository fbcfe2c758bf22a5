"""The tables of README.md, made from the code. `make readme` writes them, `test_readme.py` compares them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adapters.accounting.failures import CATALOGUE, Failure, FailureReporting
from adapters.accounting.registry import registered
from adapters.connection import ExportConnection
from adapters.environment import variable_name
from flows.commands.exit_codes import ExitCode

README = Path(__file__).parents[2] / "README.md"


def failure_table() -> str:
    """One row a kind of failure: what happened, who mends it and how, what Pleo is told."""
    rows = ["| kind | what it means | who mends it, and how | type told to Pleo: `documented` / `specific` |"]
    rows += ["| --- | --- | --- | --- |"]
    for kind, row in CATALOGUE.items():
        failure = Failure(kind)
        told = dict.fromkeys(failure.told_to_pleo(reporting).type for reporting in FailureReporting)
        who = f"{row.who[:1].upper()}{row.who[1:]}"
        rows.append(f"| `{kind}` | {failure.cause} | {who}: {failure.remedy} | {' / '.join(told)} |")
    return "\n".join(rows)


def settings_table() -> str:
    """One row a variable: those of every connection, then those of each accounting system."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    rows += _rows(ExportConnection, leave_out="accounting")
    for name, adapter in registered().items():
        rows.append(f"| **with `PLEO_EXPORT_ACCOUNTING__SYSTEM={name}`** | | |")
        rows += _rows(adapter.Settings, ("accounting",), leave_out="system")
    return "\n".join(rows)


def exit_code_table() -> str:
    """One row an exit code."""
    rows = ["| exit code | meaning |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| {int(code)} | {code.meaning} |" for code in ExitCode)])


TABLES: Mapping[str, Callable[[], str]] = {
    "settings": settings_table,
    "failures": failure_table,
    "exit codes": exit_code_table,
}


def settings(
    model: type[BaseModel], path: tuple[str, ...] = (), leave_out: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of every variable, nested ones included."""
    for name, field in model.model_fields.items():
        if name == leave_out:
            continue
        inner = list(_models(field.annotation))
        for part in inner:
            for variable, shown, meaning in settings(part, (*path, name)):
                only_then = shown == "required" and not field.is_required()
                yield variable, f"required with {name}" if only_then else shown, meaning
        if not inner:
            meaning = f"{field.description or ''}{_choices(field)}"
            yield variable_name((*path, name)), _default(field), meaning


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if field.default is None else f"`{field.default}`"


def _choices(field: FieldInfo) -> str:
    if not (isinstance(field.annotation, type) and issubclass(field.annotation, Enum)):
        return ""
    return f" {' or '.join(f'`{choice.value}`' for choice in field.annotation)}."


def _rows(model: type[BaseModel], path: tuple[str, ...] = (), *, leave_out: str) -> list[str]:
    found = settings(model, path, leave_out)
    return [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in found]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType}:
        for part in get_args(annotation):
            yield from _models(part)


def with_tables(text: str) -> str:
    """Give the README's text with every table brought up to date, each between two marks that name it."""
    for name, table in TABLES.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if not marks.search(text):
            raise ValueError(f"README.md has no marks for the table of {name}")
        text = marks.sub(lambda found, table=table: f"{found[1]}{table()}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
