"""Which companies a run serves when it names no connection, and how it serves them side by side."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import Field

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError, environment_is_set, load_connection
from flows.connections import saved_connections

T = TypeVar("T")

AtOnce = Annotated[int, Field(ge=1, le=100)]
"""How many companies are served side by side."""

_NAMED = 10
"""Companies that a message names; the table has all."""


@dataclass(frozen=True, slots=True)
class Company:
    """One company to serve.

    Attributes:
        connection: name of its saved connection; None for the environment's settings.
        settings: its connection; None if that is not valid.
        fault: what is wrong with it, for a person.

    """

    connection: str | None
    settings: ExportConnection | None = None
    fault: str = ""

    @property
    def label(self) -> str:
        """Give the name that runs, tags and tables have for it."""
        return self.connection or (str(self.settings.company_id) if self.settings else "environment")

    def row(self, **cells: str) -> dict[str, str]:
        """Give the company's row in the table over all companies, with what a run has to say of it."""
        return {
            "company": str(self.settings.company_id) if self.settings else "",
            "connection": self.connection or "environment",
            **cells,
        }


async def companies_to_serve() -> list[Company]:
    """Give every saved connection, and the environment's unless its company is saved as well.

    Of two saved connections for one company neither is served: nobody knows into which books it belongs.
    """
    saved = [Company(each.name, each.settings, each.fault) for each in await saved_connections()]
    companies = _told_apart(saved)
    if saved and not environment_is_set():
        return companies
    try:
        settings = load_connection()
    except ConfigurationError as error:
        return [*companies, Company(None, None, str(error))]
    if any(each.settings and each.settings.company_id == settings.company_id for each in saved):
        return companies
    return [*companies, Company(None, settings)]


def only_the_environment(companies: Sequence[Company]) -> bool:
    """Tell whether nothing is saved, so that a run serves the environment's company as if it were named."""
    return [company.connection for company in companies] == [None]


def _told_apart(companies: Sequence[Company]) -> list[Company]:
    names: dict[UUID, list[str]] = defaultdict(list)
    for each in companies:
        if each.settings:
            names[each.settings.company_id].append(each.label)
    return [
        Company(
            each.connection,
            None,
            f"The saved connections {' and '.join(names[each.settings.company_id])} are for one and the same "
            "Pleo company: delete all but one with `pleo-export connection delete`.",
        )
        if each.settings and len(names[each.settings.company_id]) > 1
        else each
        for each in companies
    ]


async def side_by_side(
    companies: Sequence[Company], serve: Callable[[Company], Awaitable[T]]
) -> list[tuple[Company, T]]:
    """Serve all companies side by side, and give what became of each in the order of their labels.

    They begin in another order each time, so that none is always the last to find a free place.
    `serve` bounds how many work at once, and raises nothing.
    """
    shuffled = random.sample(companies, len(companies))
    served = await asyncio.gather(*(serve(company) for company in shuffled))
    return sorted(zip(shuffled, served, strict=True), key=lambda pair: pair[0].label)


def named(companies: Sequence[Company]) -> str:
    """Name companies in a message, the first ten of many."""
    labels = ", ".join(company.label for company in companies[:_NAMED])
    more = len(companies) - _NAMED
    return f"{labels} and {more} more" if more > 0 else labels
