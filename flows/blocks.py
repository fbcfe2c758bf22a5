"""A connection as a Prefect block: the schema of `adapters.connection`, kept encrypted under a name."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import ConfigDict

from adapters.connection import ExportConnection
from flows.connections import BLOCK_TYPE


class ExportConnectionBlock(ExportConnection, Block):
    """One Pleo company joined to one company of an accounting system."""

    model_config = ConfigDict(frozen=False)

    _block_type_name = "Pleo Export Connection"
    _block_type_slug = BLOCK_TYPE
    _description = (
        "One Pleo company joined to one company of an accounting system. "
        "All saved connections are served by watch-exports."
    )
