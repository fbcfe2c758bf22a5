"""Stand of Fava: a real Fava with a small ledger, and a proxy that asks for credentials."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from adapters.accounting.booking import Entry, EntryLine
from adapters.accounting.contract import BookingAccounts
from adapters.accounting.fava.adapter import FavaSettings
from tests.contract import stand
from tests.contract.stand import Situation
from tests.support.basic_proxy import BasicProxy
from tests.support.fava_server import SLUG, FavaServer, ledger_text

_USER, _PASSWORD = "clerk", "CANARY-fava-password"
_ACCOUNTS = BookingAccounts(wallet="Assets:Pleo")


class Stand(stand.WireStand):
    """One Fava for all scenarios of a session."""

    secrets = (_PASSWORD,)

    def __init__(self, stack: ExitStack, folder: Path, kept: Path) -> None:
        super().__init__(stack, folder, kept)
        ledger = folder / "books.beancount"
        ledger.write_text(ledger_text())
        self._fava = stack.enter_context(FavaServer(ledger))
        self._proxy = stack.enter_context(BasicProxy(self._fava.origin, username=_USER, password=_PASSWORD))

    @property
    def origin(self) -> str:
        """Address of the proxy: without it there would be no credentials to tell apart."""
        return self._proxy.origin

    def healthy(self, origin: str) -> Situation:
        """See `WireStand`."""
        return self._with(origin, _PASSWORD)

    def _with(self, origin: str, password: str, slug: str = SLUG) -> Situation:
        settings = FavaSettings(system="fava", url=f"{origin}/{slug}", username=_USER, password=password)
        return Situation(settings, _ACCOUNTS)

    def an_entry(self) -> Entry:
        """See `Stand`."""
        lines = (EntryLine("Expenses:Travel", 4250, "Food"), EntryLine("Assets:Pleo", -4250))
        return Entry(uuid4(), dt.date(2024, 6, 15), "EUR", "Cafe", "Lunch", lines)

    def trace(self) -> object:
        """Give bytes and identity of each file of the ledger's folder; its time of change is no content."""
        folder = self._fava.ledger.parent
        return {path.name: (path.read_bytes(), path.stat().st_ino) for path in sorted(folder.iterdir())}

    def state(self, scenario: str, stack: ExitStack) -> Situation:
        """See `WireStand`."""
        well = self.healthy(self.origin)
        situation = self.healthy(self.origin)
        match scenario:
            case "wrong-url":
                situation = self._with(self.origin, _PASSWORD, slug="no-such-ledger")
                situation.mend = lambda: well
            case "wrong-credentials":
                situation = self._with(self.origin, "CANARY-fava-password-mistyped")
                situation.mend = lambda: well
            case "expired-credentials":
                self._proxy.password = "CANARY-fava-password-renewed"
                stack.callback(setattr, self._proxy, "password", _PASSWORD)
                situation.mend = lambda: self._with(self.origin, self._proxy.password)
            case "no-right-to-create":
                self._proxy.refused_methods = {"PUT": 403}
                stack.callback(self._proxy.refused_methods.clear)
                situation.mend = self._proxy.refused_methods.clear
            case "read-only":
                self._fava.restart("--read-only")
                stack.callback(self._fava.restart)
                situation.mend = self._fava.restart
            case "missing-account":
                situation.accounts = BookingAccounts(wallet="Assets:Nowhere")
                situation.mend = lambda: well
            case _:
                raise NotImplementedError(scenario)
        return situation
