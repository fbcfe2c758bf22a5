"""A connection as a Prefect block: the schema of `adapters.connection`, kept encrypted under a name."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import ConfigDict

from adapters.connection import ExportConnection


class ExportConnectionBlock(ExportConnection, Block):
    """One Pleo company joined to one company of an accounting system."""

    model_config = ConfigDict(frozen=False)

    _block_type_name = "Pleo Export Connection"
    _block_type_slug = "pleo-export-connection"
    _description = "One Pleo company joined to one company of an accounting system."

    def connection(self) -> ExportConnection:
        """Give the settings without the block around them."""
        return ExportConnection.model_validate(
            {name: getattr(self, name) for name in ExportConnection.model_fields}
        )
