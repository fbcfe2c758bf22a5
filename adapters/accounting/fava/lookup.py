"""Finds entries in a ledger by the link that they were booked with."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from adapters.accounting.fava.client import FavaClient, WriteRefused
from adapters.accounting.fava.transactions import LINK_PREFIX, link_of, rebooking_link_of
from adapters.faults import Fault, HttpFault

_AT_ONCE = 50
"""References that one request names: its address has 2,000 characters then."""


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
    rebooking = {rebooking_link_of(reference): reference for reference in wanted.values()}
    own: dict[UUID, list[Place]] = {}
    rebooked: dict[UUID, list[Place]] = {}
    names = [str(reference) for reference in wanted.values()]  # UUIDs: nothing in them could end the text
    for start in range(0, len(names), _AT_ONCE):
        some = "|".join(names[start : start + _AT_ONCE])
        chosen = f'links:"{LINK_PREFIX}(again-)?({some})"'
        for entry in await client.journal(ledger, chosen):
            for links, found in ((wanted, own), (rebooking, rebooked)):
                for link in links.keys() & set(entry.links or ()):
                    place = Place(entry.meta.filename, entry.meta.lineno, entry.entry_hash, link)
                    found.setdefault(links[link], []).append(place)
    return {reference: sorted(places) for reference, places in (rebooked | own).items()}
