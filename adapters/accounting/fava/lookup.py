"""Finds entries in a ledger by the link that they were booked with."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from adapters.accounting.fava.client import FavaClient, WriteRefused
from adapters.accounting.fava.transactions import LINK_PREFIX, link_of, rebooking_link_of
from adapters.faults import Fault, HttpFault

_FEW = 20
"""References that a query names; for more it asks for the links of all entries from Pleo, which took
0.04 s for 3,000 entries where naming 100 of them took as long and an address of 4,000 characters."""


_ENTRIES = "select id, filename, lineno, links from #entries where joinstr(links) ~ "


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands.

    Attributes:
        file: path of the source file on Fava's machine.
        line: number of the entry's first line, from 1.
        entry_hash: Fava's name of the entry, until lines above it move.
        link: by which it was found.

    """

    file: str
    line: int
    entry_hash: str
    link: str


async def settle(client: FavaClient, ledger: str) -> None:
    """Wait until Fava has finished what it is storing, and have it read its files anew.

    Fava answers several requests at once, and one that reads can overtake one that writes: it sees a
    file half written. Requests that store entries wait for each other, also one that stores none.
    """
    with contextlib.suppress(WriteRefused):  # then nothing is being stored, either
        await client.add_entries(ledger, [])
    await client.changed(ledger)


async def wait_for_storing(client: FavaClient, ledger: str) -> None:
    """Wait as `settle` does, at an address that may yet turn out to be no ledger's."""
    with contextlib.suppress(WriteRefused):
        try:
            await client.add_entries(ledger, [])
        except HttpFault as fault:
            if fault.status != 404 and fault.fault is not Fault.REDIRECT:
                raise


async def look_up(
    client: FavaClient, ledger: str, references: Collection[UUID]
) -> Mapping[UUID, list[Place]]:
    """Find the places of these entries, first one first; more than one if it was booked by someone else, too.

    Those that rebook an entry are its places where it has none of its own.

    Raises:
        HttpFault, FavaRefusal: see `FavaClient`.

    """
    wanted = {link_of(reference): reference for reference in references}
    if not wanted:
        return {}
    rebooking = {rebooking_link_of(reference): reference for reference in wanted.values()}
    few = f"(again-)?({'|'.join(map(str, wanted.values()))})" if len(wanted) <= _FEW else ""
    pattern = f"'{LINK_PREFIX}{few}'"  # UUIDs: nothing in it could end the text
    rows = await client.query(ledger, _ENTRIES + pattern)
    own: dict[UUID, list[Place]] = {}
    rebooked: dict[UUID, list[Place]] = {}
    try:
        for entry_hash, file, line, links in rows:
            for names, found in ((wanted, own), (rebooking, rebooked)):
                for link in names.keys() & set(links):
                    place = Place(str(file), int(line), str(entry_hash), link)
                    found.setdefault(names[link], []).append(place)
    except (TypeError, ValueError, OverflowError):  # the last one for a line number that is infinite
        raise HttpFault(Fault.WRONG_SHAPE) from None
    return {reference: sorted(places) for reference, places in (rebooked | own).items()}
