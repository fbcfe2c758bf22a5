"""Finds adapters by their entry point, so that a new one is a folder and a line in its package."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

from adapters.accounting.contract import AccountingSettings, AccountingSystem, BookingAccounts, Capabilities

GROUP = "pleo_export.accounting_systems"


class Adapter(Protocol):
    """What an entry point of the group leads to: usually the adapter's class.

    Attributes:
        Settings: the adapter's settings, whose `system` is a `Literal` of the entry point's name.
        title: the system's name as people write it.
        capabilities: what it can do.

    """

    Settings: type[AccountingSettings]
    title: str
    capabilities: Capabilities

    def __call__(self, settings: Any, *, accounts: BookingAccounts, deadline: float) -> AccountingSystem:
        """Open the system. `deadline` is in seconds, for one request; nothing is sent yet."""
        ...


@functools.cache
def registered() -> Mapping[str, Adapter]:
    """All installed adapters by the name that `PLEO_EXPORT_ACCOUNTING__SYSTEM` takes."""
    return {point.name: point.load() for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def open_system(
    settings: AccountingSettings, *, accounts: BookingAccounts, deadline: float
) -> AccountingSystem:
    """Open the accounting system that the settings name.

    Args:
        settings: of one of the registered adapters.
        accounts: accounts that the configuration names.
        deadline: seconds for one request to the system.

    """
    return registered()[settings.system](settings, accounts=accounts, deadline=deadline)
