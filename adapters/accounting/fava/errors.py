"""Tells which errors a ledger has that it did not have before, and which entries made them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.accounting.booking import Entry
from adapters.accounting.fava.client import FavaClient
from adapters.accounting.fava.forms import LedgerError
from adapters.accounting.fava.lookup import Place
from adapters.accounting.fava.said import Said, ledger_error, refused
from adapters.accounting.fava.transactions import lines_of
from adapters.accounting.item_failures import ItemFailure

_BROKEN_ASSERTIONS = 'diff_amount:"[0-9]"'
"""Only assertions of a balance have this field; a number in it is what is missing."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What is wrong with a ledger at one moment.

    Attributes:
        reported: Beancount's and the plugins' errors.
        assertions: account and date of the balance assertions that do not hold.

    """

    reported: Sequence[LedgerError]
    assertions: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What new errors a batch brought.

    Attributes:
        guilty: entries that made one, and what to tell.
        unexplained: one that no entry of the batch can be found guilty of, or None.

    """

    guilty: Mapping[UUID, ItemFailure]
    unexplained: str | None

    @property
    def is_clean(self) -> bool:
        """Whether there is no new error."""
        return not self.guilty and self.unexplained is None


async def read_errors(client: FavaClient, ledger: str) -> Errors:
    """Read them, the assertions after the others.

    Raises:
        HttpFault, FavaRefusal: see `FavaClient`.

    """
    reported = await client.errors(ledger)
    if not any(_is_of_assertion(error) for error in reported):
        return Errors(reported, frozenset())
    broken = [entry for entry in await client.journal(ledger, _BROKEN_ASSERTIONS) if entry.t == "Balance"]
    return Errors(reported, frozenset((str(entry.account), str(entry.date)) for entry in broken))


def judge(
    before: Errors, after: Errors, batch: Mapping[UUID, Entry], places: Mapping[UUID, Sequence[Place]]
) -> Verdict:
    """Find the entries of a batch that made new errors.

    An error that is reported for a line of an entry is that entry's. A balance assertion that does not
    hold any more is due to each entry before it on its account. What else is new is unexplained; an old
    error whose amounts or lines changed is not new.
    """
    guilty: dict[UUID, ItemFailure] = {}
    owners = _owners(batch, places)
    old = Counter(map(_gist, before.reported))
    unexplained = None
    for error in after.reported:
        if _is_of_assertion(error):
            continue
        source = error.source or {}
        reference = owners.get(("pleo-id", source.get("pleo-id"))) or owners.get(
            (source.get("filename"), source.get("lineno"))
        )
        if reference is not None:
            guilty.setdefault(reference, ledger_error(error.message))
        elif old[_gist(error)] > 0:
            old[_gist(error)] -= 1
        else:
            unexplained = error.message
    for account, date in sorted(after.assertions - before.assertions):
        for reference in places:
            entry = batch[reference]
            concerned = any(f"{line.account}:".startswith(f"{account}:") for line in entry.lines)
            if concerned and entry.date.isoformat() < date:
                guilty.setdefault(reference, refused(Said.ASSERTION, account=account, date=date))
    return Verdict(guilty, unexplained)


def _is_of_assertion(error: LedgerError) -> bool:
    return error.type == "BalanceError" and error.message.startswith("Balance failed for")


def _gist(error: LedgerError) -> tuple[str, str]:
    """Give what stays of an error's text when amounts change."""
    return error.type, re.split(r"[-(]?\d", error.message, maxsplit=1)[0]


def _owners(
    batch: Mapping[UUID, Entry], places: Mapping[UUID, Sequence[Place]]
) -> Mapping[tuple[object, object], UUID]:
    """Give each entry by what an error can name of it: its lines, and its reference in metadata."""
    owners: dict[tuple[object, object], UUID] = {}
    for reference, found in places.items():
        owners["pleo-id", str(reference)] = reference
        length = lines_of(batch[reference])
        for place in found:
            owners.update({(place.file, place.line + number): reference for number in range(length)})
    return owners
