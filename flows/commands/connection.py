"""`pleo-export connection`: connections kept as encrypted Prefect blocks."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError, load_connection
from flows.commands.output import print_json
from flows.connections import find_connection
from flows.terminal import print_rows

_BLOCK_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class SavedConnection(BaseModel):
    """The JSON object of `connection save` and `connection show`; secrets are masked."""

    name: str
    connection: ExportConnection


async def save_connection(name: str, env_file: Path, *, as_json: bool) -> None:
    """Save the environment's connection under a name, replacing one of that name.

    Raises:
        ConfigurationError: the name or a setting is not valid.

    """
    if not _BLOCK_NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name: use lowercase letters, digits and dashes.")
    settings = load_connection(env_file)
    from flows.blocks import ExportConnectionBlock

    block = ExportConnectionBlock(
        **{field: getattr(settings, field) for field in ExportConnection.model_fields}
    )
    await block.save(name, overwrite=True)
    _print(SavedConnection(name=name, connection=settings), as_json=as_json)


async def show_connection(name: str, *, as_json: bool) -> None:
    """Print a saved connection with its secrets masked.

    Raises:
        ConfigurationError: nothing is saved under that name.

    """
    _print(SavedConnection(name=name, connection=await find_connection(name)), as_json=as_json)


def _print(saved: SavedConnection, *, as_json: bool) -> None:
    rows = [
        {"setting": setting, "value": value}
        for setting, value in _flat(saved.connection.model_dump(mode="json", exclude_none=True))
    ]
    print_rows(f"Connection {saved.name}", rows, Console(stderr=as_json))
    if as_json:
        print_json(saved)


def _flat(values: dict[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, str(value)))
    return rows
