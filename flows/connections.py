"""Where a run's connection comes from: a saved block by its name, else the environment."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError, load_connection


async def find_connection(name: str | None) -> ExportConnection:
    """Load the connection saved under a name, or the environment's if there is no name.

    Raises:
        ConfigurationError: there is none, or it is not valid; the text says what to mend.

    """
    if name is None:
        return load_connection()
    from flows.blocks import ExportConnectionBlock

    try:
        block = cast("ExportConnectionBlock", await ExportConnectionBlock.aload(name))
    except ValueError:
        raise ConfigurationError(
            f"No connection is saved under the name {name!r}: save it with `pleo-export connection save`."
        ) from None
    return block.connection()


def refuse_rebooking_of_any(job_id: UUID | None, *, rebook: bool) -> None:
    """Let nothing be booked once more for whichever job happens to be the oldest (U13).

    Raises:
        ConfigurationError: no job is named.

    """
    if rebook and job_id is None:
        raise ConfigurationError(
            "rebook needs a job id: it books once more what is in the books already, so name the one job "
            "that is to do so (--job-id)."
        )


def company_label(name: str | None) -> str:
    """Give the company's part of a run's name: the connection's name, else the company's id."""
    if name is not None:
        return name
    try:
        return str(load_connection().company_id)
    except ConfigurationError:
        return "unconfigured"
