"""An accounting system whose adapter has a defect: it raises, at a moment of one's choice, with its password.

It is registered as any other is, by the entry point of a distribution, which `register` writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from adapters.accounting.contract import PLEO_ATTACHMENTS, AccountingSettings, BookingAccounts
from adapters.fields import Secret
from tests.support.filed_books import FiledBooks

MOMENTS = (
    "open", "reachability", "auth", "writability", "find", "examine", "book", "booked", "attach", "aclose",
)  # fmt: skip


class CrashingSettings(AccountingSettings):
    system: Literal["crashing"]
    password: Secret
    moment: str = Field("", description="Moment at which it crashes; empty: never.")
    file: Path = Field(description="The books.")


class CrashingSystem(FiledBooks):
    """See the module's docstring."""

    Settings = CrashingSettings

    def __init__(self, settings: CrashingSettings, *, accounts: BookingAccounts, deadline: float) -> None:
        super().__init__(settings.file, self._crash, attachments=PLEO_ATTACHMENTS)
        self._settings = settings
        self._crash("open")

    def _crash(self, moment: str) -> None:
        if moment == self._settings.moment:
            password = self._settings.password.get_secret_value()
            raise RuntimeError(f"could not sign in as clerk:{password} at http://clerk:{password}@books")


def register(folder: Path) -> None:
    """Install the adapter for every process that has the folder on its path."""
    distribution = folder / "crashing-1.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: crashing\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(
        f"[pleo_export.accounting_systems]\ncrashing = {__name__}:{CrashingSystem.__name__}\n"
    )
