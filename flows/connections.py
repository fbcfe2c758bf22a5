"""Where a run's connection comes from: a saved block by its name, else the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError, load_connection, sentence_about

if TYPE_CHECKING:  # imported where it is used: `plan` and `check` with the environment's settings do without
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import BlockDocument

BLOCK_TYPE = "pleo-export-connection"
"""Slug of the block type of `flows.blocks`, written here so that reading does not register it."""

_PAGE = 200
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved connection: its settings, or what is wrong with them."""

    name: str
    settings: ExportConnection | None
    fault: str = ""


async def find_connection(name: str | None) -> ExportConnection:
    """Load the connection saved under a name, or the environment's if there is no name.

    Raises:
        ConfigurationError: there is none, or it is not valid; the text says what to mend.

    """
    if name is None:
        return load_connection()
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        document = await find_document(client, name)
    return _settings(name, document.data)


async def find_document(client: PrefectClient, name: str) -> BlockDocument:
    """Read the block of a saved connection.

    Raises:
        ConfigurationError: nothing is saved under that name.

    """
    from prefect.exceptions import ObjectNotFound

    try:
        return await client.read_block_document_by_name(name, BLOCK_TYPE)
    except ObjectNotFound:
        raise ConfigurationError(
            f"No connection is saved under the name {name!r}: save it with `pleo-export connection save`."
        ) from None


async def saved_connections() -> list[Saved]:
    """Read all saved connections in the order of their names; one that is not valid says why."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectHTTPStatusError

    documents: list[BlockDocument] = []
    async with get_client() as client:
        try:
            while True:
                page = await client.read_block_documents_by_type(BLOCK_TYPE, len(documents), _PAGE)
                documents += page
                if len(page) < _PAGE:
                    break
        except PrefectHTTPStatusError as error:
            if error.response.status_code != _NOT_FOUND:
                raise
            return []  # the block type is registered with the first save
    found = [_saved(document.name, document.data) for document in documents if document.name]
    return sorted(found, key=lambda each: each.name)


def company_label(name: str | None) -> str:
    """Give the company's part of a run's name: the connection's name, else the company's id."""
    if name is not None:
        return name
    try:
        return str(load_connection().company_id)
    except ConfigurationError:
        return "unconfigured"


def _saved(name: str, data: Mapping[str, Any]) -> Saved:
    try:
        return Saved(name, _settings(name, data))
    except ConfigurationError as error:
        return Saved(name, None, str(error))


def _settings(name: str, data: Mapping[str, Any]) -> ExportConnection:
    """Read the settings themselves; a block that Prefect's form made may lack some."""
    try:
        return ExportConnection.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigurationError(
            f"The saved connection {name!r} is not valid: {sentence_about(error)} Then save it again with "
            f"`pleo-export connection save {name}`, or mend it in Prefect under Blocks."
        ) from None
