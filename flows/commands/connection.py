"""`pleo-export connection`: connections kept as encrypted Prefect blocks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from pydantic import BaseModel
from rich.console import Console

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError, load_connection
from flows.commands.output import print_json
from flows.connections import Saved, find_connection, find_document, saved_connections
from flows.terminal import print_rows

_BLOCK_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class SavedConnection(BaseModel):
    """The JSON object of `connection save` and `connection show`; secrets are masked."""

    name: str
    connection: ExportConnection


class ListedConnection(BaseModel):
    """One connection in the JSON of `connection list`; `fault` says why one is not valid."""

    name: str
    company_id: UUID | None
    system: str
    pleo: str
    fault: str


class ListedConnections(BaseModel):
    """The JSON object of `connection list`."""

    connections: list[ListedConnection]


class DeletedConnection(BaseModel):
    """The JSON object of `connection delete`."""

    name: str
    deleted: bool


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
        ConfigurationError: nothing is saved under that name, or it is not valid.

    """
    _print(SavedConnection(name=name, connection=await find_connection(name)), as_json=as_json)


async def list_connections(*, as_json: bool) -> None:
    """Print all saved connections, without their secrets; one that is not valid says why."""
    listed = [_listed(each) for each in await saved_connections()]
    console = Console(stderr=as_json)
    if not listed:
        console.print(
            "No connection is saved; save one with: pleo-export connection save NAME", soft_wrap=True
        )
    rows = [{name: str(value or "") for name, value in each.model_dump().items()} for each in listed]
    if rows:
        print_rows("Saved connections", rows, console)
    if as_json:
        print_json(ListedConnections(connections=listed))


async def delete_connection(name: str, *, sure: bool, as_json: bool) -> None:
    """Delete a saved connection, after asking a person.

    Raises:
        ConfigurationError: nothing is saved under that name, or nobody is there to be asked.

    """
    async with get_client() as client:
        document = await find_document(client, name)
        deleted = sure or _agreed(name)
        if deleted:
            await client.delete_block_document(document.id)
    said = "is deleted" if deleted else "stays"
    Console(stderr=as_json).print(f"The connection {name} {said}.")
    if as_json:
        print_json(DeletedConnection(name=name, deleted=deleted))


def _agreed(name: str) -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError(f"Nobody is there to be asked: delete {name!r} without a question by --yes.")
    sys.stderr.write(f"Delete the saved connection {name}, its secrets included? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _listed(saved: Saved) -> ListedConnection:
    settings = saved.settings
    return ListedConnection(
        name=saved.name,
        company_id=settings.company_id if settings else None,
        system=settings.accounting.system if settings else "",
        pleo=settings.pleo.base_url if settings else "",
        fault=saved.fault,
    )


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
