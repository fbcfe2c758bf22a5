"""Sets up books in a Tryton without a person: for the tests and for trying things out.

It works the way a person works: through Tryton's interface, as its administrator. Names, not ids, lead
to everything, for ids differ from database to database. Nothing here knows the adapter.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

ADMIN = "admin"
ADMIN_PASSWORD = "for this machine alone"  # noqa: S105 - of a database that is made here and served on loopback

_REQUEST_SECONDS = 120


def load_database(address: str, database: str) -> None:
    """Have a Tryton that has just started load this database, with a request that tells nothing.

    Tryton 8.2.1 never loads a database whose first request is a sign-in: all later ones fail, too.
    """
    with contextlib.suppress(urllib.error.HTTPError):
        _open(f"{address}/{quote(database, safe='')}/rest/model/res.user").close()


def _open(request: str | urllib.request.Request) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=_REQUEST_SECONDS)


class TrytonRefusal(Exception):
    """Tryton refused a request; the text is Tryton's own."""


class Interface:
    """The administrator of one database, signed in: Tryton's own interface, over JSON-RPC.

    Every method raises `TrytonRefusal` if Tryton refuses.

    Args:
        address: of the server.
        database: its name.

    Attributes:
        context: sent with every request; `company` in it is the company that new records are for.

    """

    def __init__(self, address: str, database: str) -> None:
        self._url = f"{address}/{quote(database, safe='')}/rpc/"
        self._headers = {"content-type": "application/json"}
        self.context: dict[str, Any] = {}
        load_database(address, database)
        user, session, _bus = self._ask("common.db.login", [ADMIN, {"password": ADMIN_PASSWORD}])
        token = base64.b64encode(f"{ADMIN}:{user}:{session}".encode()).decode()
        self._headers["authorization"] = f"Session {token}"

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method, such as `call("model.party.party.create", [{"name": "Erika"}])`."""
        return self._ask(method, [*arguments, self.context])

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": parameters}, default=_date)
        request = urllib.request.Request(self._url, body.encode(), self._headers)  # noqa: S310 - loopback
        with _open(request) as answer:
            said = json.load(answer)
        if "error" in said:
            raise TrytonRefusal(f"{method}: {said['error']}")
        return said["result"]

    def create(self, model: str, /, **values: Any) -> int:
        """Create a record and give its id."""
        return int(self.call(f"model.{model}.create", [values])[0])

    def find(self, model: str, /, **values: Any) -> list[int]:
        """Give the ids of the records with these values, inactive ones left out."""
        domain = [[name, "=", value] for name, value in values.items()]
        return [int(found) for found in self.call(f"model.{model}.search", domain, 0, None, None)]

    def find_one(self, model: str, /, **values: Any) -> int:
        """Give the id of the one record with these values."""
        (found,) = self.find(model, **values)
        return found

    def reference(self, module: str, name: str) -> int:
        """Give the id of a record that a module of Tryton brought, whatever it is called by now."""
        return int(self.call("model.ir.model.data.get_id", module, name))

    def write(self, model: str, ids: Sequence[int], /, **values: Any) -> None:
        """Change records."""
        self.call(f"model.{model}.write", list(ids), values)

    def press(self, model: str, button: str, ids: Sequence[int]) -> None:
        """Press a button of records, such as `close` of periods."""
        self.call(f"model.{model}.{button}", list(ids))

    def application_key(self, user: int) -> str:
        """Give a new key for the REST interface that lets in as this user."""
        key = self.create("res.user.application", user=user, application="rest")
        return str(self.call("model.res.user.application.read", [key], ["key"])[0]["key"])


def _date(value: object) -> dict[str, object]:
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(type(value).__name__)


class BookKeeper:
    """Sets up what a Tryton needs before anyone can book: companies, charts, years, users, keys.

    Args:
        interface: signed in as administrator.

    """

    def __init__(self, interface: Interface) -> None:
        self.tryton = interface
        # Tryton's first administrator may form groups and users, and nothing else before it joins a group.
        # And it sees the current company alone, unless told to see all of its companies.
        everyone = self.tryton.find("res.group")
        administrator = [self.tryton.find_one("res.user", login=ADMIN)]
        self.tryton.write("res.user", administrator, groups=[["add", everyone]], company_filter="all")
        self._administrator = administrator[0]

    def found_company(self, name: str, currency: str = "EUR") -> int:
        """Found a company with Tryton's smallest chart of accounts; the administrator works for it."""
        party = self.tryton.create("party.party", name=name)
        money = self.tryton.find("currency.currency", code=currency)
        company = self.tryton.create(
            "company.company",
            party=party,
            currency=money[0] if money else self._currency(currency),
        )
        self.work_for(self._administrator, [company])
        self.tryton.context["company"] = company
        self._create_chart(company)
        return company

    def open_account(self, company: int, code: str, name: str, *, like: str) -> int:
        """Add an account of the same type as another one, whose code is given."""
        pattern = self.tryton.find_one("account.account", code=like, company=company)
        (read,) = self.tryton.call("model.account.account.read", [pattern], ["type"])
        return self.tryton.create("account.account", code=code, name=name, company=company, type=read["type"])

    def open_year(self, company: int, year: int) -> int:
        """Open a fiscal year of twelve months, all of them open for entries."""
        numbers = self._numbers("Account Move", company, f"{year}")
        values: dict[str, Any] = {
            "name": f"{year}",
            "company": company,
            "start_date": dt.date(year, 1, 1),
            "end_date": dt.date(year, 12, 31),
            "move_sequence": numbers,
        }
        if self.tryton.find("ir.module", name="account_invoice", state="activated"):
            invoices = self._numbers("Invoice", company, f"Invoices {year}")
            kinds = ("out_invoice", "out_credit_note", "in_invoice", "in_credit_note")
            sequences = {f"{kind}_sequence": invoices for kind in kinds}
            values["invoice_sequences"] = [["create", [{"company": company, **sequences}]]]
        fiscal_year = self.tryton.create("account.fiscalyear", **values)
        self.tryton.press("account.fiscalyear", "create_period", [fiscal_year])
        return fiscal_year

    def employ(self, login: str, *, groups: Sequence[int] = (), companies: Sequence[int] = ()) -> int:
        """Add a user without a password who works for the first of the companies."""
        name, members = login.title(), [["add", list(groups)]]
        user = self.tryton.create("res.user", name=name, login=login, groups=members)
        self.work_for(user, companies)
        return user

    def work_for(self, user: int, companies: Sequence[int]) -> None:
        """Let a user work for these companies, the first one being the current one."""
        current = companies[0] if companies else None
        self.tryton.write("res.user", [user], companies=[["add", list(companies)]], company=current)

    def accountants(self) -> int:
        """Give Tryton's own group of those who may book."""
        return self.tryton.reference("account", "group_account")

    def readers(self, name: str, models: Sequence[str]) -> int:
        """Form a group whose members read these models and change nothing."""
        group = self.tryton.create("res.group", name=name)
        for model in models:
            self.tryton.create("ir.model.access", model=model, group=group, perm_read=True)
        return group

    def _currency(self, code: str) -> int:
        return self.tryton.create("currency.currency", name=code, code=code, symbol=code)

    def _numbers(self, kind: str, company: int, name: str) -> int:
        sequence_type = self.tryton.find_one("ir.sequence.type", name=kind)
        return self.tryton.create(
            "ir.sequence.strict", name=name, sequence_type=sequence_type, company=company
        )

    def _create_chart(self, company: int) -> None:
        wizard = "wizard.account.create_chart"
        session = self.tryton.call(f"{wizard}.create")[0]
        template = self.tryton.reference("account", "account_template_root_en")
        form = {"account_template": template, "company": company}
        self.tryton.call(f"{wizard}.execute", session, {"account": form}, "create_account")
        properties = {"company": company}
        for side in ("receivable", "payable"):
            domain = [["company", "=", company], [f"type.{side}", "=", True], ["closed", "!=", True]]
            found = self.tryton.call("model.account.account.search", domain, 0, 1, None)
            properties[f"account_{side}"] = found[0]
        self.tryton.call(f"{wizard}.execute", session, {"properties": properties}, "create_properties")
        self.tryton.call(f"{wizard}.delete", session)
