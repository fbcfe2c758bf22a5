"""Stand of Tryton: a real one on PostgreSQL, with the books of `tests.support.tryton_server`."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from adapters.accounting.booking import Entry, EntryLine
from adapters.accounting.contract import BookingAccounts
from adapters.accounting.tryton.adapter import TrytonSettings
from flows.commands.tryton_books import Interface
from tests.contract import stand
from tests.contract.stand import Situation
from tests.support.tryton_server import ACCOUNT, JOURNAL, OTHER_ACCOUNT, open_periods, tryton_server


class Stand(stand.WireStand):
    """One Tryton and one copy of its books for all scenarios of a session."""

    def __init__(self, stack: ExitStack, folder: Path, kept: Path) -> None:
        super().__init__(stack, folder, kept)
        self._tryton = stack.enter_context(tryton_server(kept))
        self._database = stack.enter_context(self._tryton.copy())
        self._books_to_fill = ""
        self._admin = Interface(self._tryton.url, self._database)
        self.secrets = tuple(self._tryton.books.keys.values())

    @property
    def origin(self) -> str:
        """See `WireStand`."""
        return self._tryton.url

    def healthy(self, origin: str) -> Situation:
        """See `WireStand`."""
        return self._connected(origin=origin)

    def _connected(
        self,
        *,
        origin: str = "",
        database: str = "",
        key: str = "",
        journal: str = JOURNAL,
        company: str | None = None,
        wallet: str = ACCOUNT,
    ) -> Situation:
        """Give the clerk's connection, with what is named in place of what is right."""
        settings = TrytonSettings.model_validate(
            {
                "system": "tryton",
                "url": origin or self.origin,
                "database": database or self._database,
                "application_key": key or self._tryton.books.keys["clerk"],
                "journal": journal,
                "company": company,
            }
        )
        return Situation(settings, BookingAccounts(wallet=wallet))

    def healthy_books(self) -> Situation:
        """See `Stand`. Books of their own: drafts keep a period from being closed, as scenarios do."""
        if not self._books_to_fill:
            self._books_to_fill = self.stack.enter_context(self._tryton.copy())
        return self._connected(database=self._books_to_fill)

    def an_entry(self) -> Entry:
        """See `Stand`."""
        lines = (EntryLine(OTHER_ACCOUNT, 4250, "Food"), EntryLine(ACCOUNT, -4250))
        return Entry(uuid4(), dt.date(dt.datetime.now(dt.UTC).year, 6, 15), "EUR", "Cafe", "Lunch", lines)

    def trace(self) -> object:
        """Give a digest of every table and the state of every sequence."""
        return self._tryton.postgres.contents(self._database)

    def state(self, scenario: str, stack: ExitStack) -> Situation:
        """See `WireStand`."""
        well = self._connected()
        match scenario:
            case "wrong-url":
                situation = self._connected(database="no_such_books")
            case "wrong-credentials":
                situation = self._connected(key="CANARY-key-mistyped")
            case "expired-credentials":
                clerk = self._tryton.books.users["clerk"]
                ended = self._admin.application_key(clerk)
                self._admin.press(
                    "res.user.application", "cancel", self._admin.find("res.user.application", key=ended)
                )
                situation = self._connected(key=ended)
                situation.mend = lambda: self._connected(key=self._admin.application_key(clerk))
                return situation
            case "no-right-to-create":
                situation = self._connected(key=self._tryton.books.keys["auditor"])
            case "every-period-closed":
                return self._with_periods_closed(stack, None)
            case "todays-period-closed":
                return self._with_periods_closed(stack, dt.datetime.now(dt.UTC).date())
            case "wrong-company":
                situation = self._connected(company="Nobody Ltd")
            case "missing-journal":
                situation = self._connected(journal="PLEO")
            case "missing-account":
                situation = self._connected(wallet="9.9.9")
            case _:
                raise NotImplementedError(scenario)
        situation.mend = lambda: well
        return situation

    def _with_periods_closed(self, stack: ExitStack, day: dt.date | None) -> Situation:
        """Close the periods of a day, or all of them, until it is mended."""
        closed = open_periods(self._admin, self._tryton.books.company, of=day)
        self._admin.press("account.period", "close", closed)
        reopen = stack.enter_context(ExitStack())
        reopen.callback(self._admin.press, "account.period", "reopen", closed)
        situation = self._connected()
        situation.mend = reopen.close
        return situation
