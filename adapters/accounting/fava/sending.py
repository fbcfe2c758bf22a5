"""Sends entries to a ledger in one request, once, and says what that proves about them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum

from adapters.accounting.booking import Entry
from adapters.accounting.contract import CheckFailed
from adapters.accounting.fava.client import FavaClient, FavaRefusal, WriteRefused
from adapters.accounting.fava.said import Said, of_system, refused
from adapters.accounting.fava.transactions import as_transaction
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.faults import Fault, HttpFault

Failures = Callable[[], AbstractContextManager[None]]
"""Turns what requests raise inside the block into `CheckFailed`."""

_OF_THE_MACHINE = {os.strerror(code) for code in errno.errorcode} | {"non-source file", "invalid unicode"}
"""Reasons of Fava that no entry is to blame for; its file, disk or set-up is."""


class Fate(Enum):
    """What the answer says about the entries of a request."""

    STORED = "Fava says that it stored them"
    NOT_STORED = "certainly none is stored"
    SETTLED = "Fava is done with the request: those are stored that it holds now, no others will be"
    LOST = "they may be stored, or become so"


@dataclass(frozen=True, slots=True)
class Sent:
    """How a request ended.

    Attributes:
        fate: of its entries.
        failure: what to tell about those that are not in the books.
        divisible: whether a smaller request can succeed.

    """

    fate: Fate
    failure: ItemFailure
    divisible: bool = False


async def send(client: FavaClient, ledger: str, entries: Sequence[Entry], failures: Failures) -> Sent:
    """Have Fava store the entries. Whatever the server does, nothing is raised.

    Fava stores after all checks of a request, so a 4xx means that it stored nothing, be it Fava's or that
    of a proxy; but 408 can be a proxy's word for its own waiting. A 5xx without Fava's reason proves nothing.
    With its reason, entries before the one that Fava stumbled on can be stored.
    """
    try:
        await client.add_entries(ledger, [as_transaction(entry) for entry in entries])
    except WriteRefused as error:
        return Sent(Fate.NOT_STORED, failure_of(error, failures))
    except FavaRefusal as refusal:
        divisible = not any(words in refusal.reason for words in _OF_THE_MACHINE)
        failure = failure_of(refusal, failures)
        if failure.kind is not ItemFailureKind.SYSTEM_DENIES_ACCESS:
            failure = refused(Said.REQUEST if divisible else Said.STORAGE)
        return Sent(Fate.SETTLED, failure, divisible)
    except HttpFault as fault:
        if fault.fault is Fault.STATUS and fault.status == 413:
            return Sent(Fate.NOT_STORED, refused(Said.REQUEST), divisible=True)
        proved = not fault.may_have_arrived or (
            fault.fault is Fault.STATUS and 400 <= (fault.status or 0) < 500 and fault.status != 408
        )
        return Sent(Fate.NOT_STORED if proved else Fate.LOST, failure_of(fault, failures))
    return Sent(Fate.STORED, ItemFailure(ItemFailureKind.UNEXPECTED))


def failure_of(error: Exception, failures: Failures) -> ItemFailure:
    """Give what an error of a request means for each item."""
    try:
        with failures():
            raise error
    except CheckFailed as failed:
        return of_system(failed.failure.kind)
