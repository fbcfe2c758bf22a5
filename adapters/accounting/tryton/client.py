"""The requests that a Tryton is asked, and what its answers mean on the wire.

Two of its interfaces are used, and of both only requests that Tryton itself runs in a read-only
transaction: JSON-RPC for what it tells anyone, REST with an application key for one database.

REST, not JSON-RPC, tells at once whether a database exists: 404 if not, where JSON-RPC takes 30 s.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter

from adapters.faults import Fault, HttpFault
from adapters.http import Answer, HttpClient

T = TypeVar("T")
Record = TypeVar("Record", bound=BaseModel)

Domain = list[Any]
"""A search in Tryton's words: `[["code", "=", "EXP"]]`, all of whose clauses must hold."""


class _Result(BaseModel, Generic[T]):
    result: T


class _Refusal(BaseModel):
    status: int
    message: str


class Rights(BaseModel):
    """What a user may do with the records of one model; Tryton says it with 0 and 1."""

    read: bool
    write: bool
    create: bool


class Preferences(BaseModel):
    """What Tryton tells a user about itself.

    Attributes:
        name: as people call the user; Tryton asks for none.
        companies: ids of those that the user works for.
        company: id of the current one of them.
        company_filter: `one` lets the user see and book in the current company alone, `all` in all.

    """

    name: str | None
    companies: list[int] = []
    company: int | None = None
    company_filter: str | None = None


class FieldDefinition(BaseModel):
    """One field of a model as the user meets it; `readonly` means that no value of it is accepted."""

    readonly: bool


class _Model(BaseModel):
    name: str


class Company(BaseModel):
    """One company."""

    id: int
    rec_name: str


class Journal(BaseModel):
    """One journal; journals belong to no company."""

    id: int


def _date(value: Any) -> Any:
    if isinstance(value, dict) and value.get("__class__") == "date":
        return dt.date(value["year"], value["month"], value["day"])
    return value


Date = Annotated[dt.date, BeforeValidator(_date)]


class Account(BaseModel):
    """One account of a company.

    Attributes:
        code: as people call it.
        type: id of its type; an account without one is a heading that takes no entries.
        closed: it takes no entries any more.

    """

    code: str
    type: int | None
    closed: bool


class Period(BaseModel):
    """One accounting period of a company, with its first and last day."""

    id: int
    start_date: Date
    end_date: Date


class JournalPeriod(BaseModel):
    """One journal in one period, where Tryton keeps a state of the two together."""

    period: int = Field(description="Id of the period.")


_VERSION = TypeAdapter(_Result[str])
_REFUSAL = TypeAdapter(_Refusal)
_PREFERENCES = TypeAdapter(Preferences)
_RIGHTS = TypeAdapter(dict[str, Rights])
_FIELDS = TypeAdapter(dict[str, FieldDefinition])


class TrytonRefusal(Exception):
    """Tryton answered a request with a refusal of its own, such as a right that is missing.

    Attributes:
        model: what was asked for. Tryton's words are in the user's language and not kept.

    """

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(f"Tryton refused a request for {model}")


class TrytonClient:
    """Requests to one database of one Tryton.

    Each method raises `HttpFault` if no usable answer came, those with the key `TrytonRefusal` as well.

    Args:
        url: address of the server.
        database: name of the database.
        key: application key of a user.
        deadline: seconds for one request.

    """

    def __init__(self, url: str, *, database: str, key: str, deadline: float) -> None:
        self._http = HttpClient(url, deadline=deadline)
        self._models = f"/{quote(database, safe='')}/rest/model"
        self._signed = {"authorization": f"Bearer {key}"}

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def version(self, within: float) -> str:
        """Ask for the version series, such as `8.2`; Tryton answers without database and without key.

        Args:
            within: seconds in which it must answer.

        """
        answer = await self._rpc("common.server.version", deadline=within)
        return answer.expect_success().parse(_VERSION).result

    async def has_lost_its_databases(self) -> bool:
        """Ask whether Tryton cannot reach its database server; False also where it is told not to tell.

        This answer comes at once, and that to a request for a database only after 30 s.
        """
        return (await self._rpc("common.db.list")).status == 503

    async def expect_database(self) -> None:
        """Ask for the database without the key, to be refused for that alone.

        Raises:
            HttpFault: status 404, if there is no such database.

        """
        answer = await self._http.request("GET", f"{self._models}/res.user", params={"s": "1"})
        if answer.status != 401:
            answer.expect_success()
            raise HttpFault(Fault.WRONG_SHAPE, status=answer.status)

    async def preferences(self) -> Preferences:
        """Ask whose key it is."""
        return (await self._act("res.user", "get_preferences", {"context_only": False})).parse(_PREFERENCES)

    async def has_model(self, name: str) -> bool:
        """Ask whether the database has a model, that is, whether the module is activated that brings it."""
        return bool(await self.search("ir.model", [["name", "=", name]], _Model))

    async def rights(self, models: Sequence[str]) -> Mapping[str, Rights]:
        """Ask what the user may do with the records of these models, which must exist."""
        body = {"models": list(models)}
        return (await self._act("ir.model.access", "get_access", body)).parse(_RIGHTS)

    async def fields(self, model: str, names: Sequence[str]) -> Mapping[str, FieldDefinition]:
        """Ask for these fields of a model; those that the user may not even read are left out."""
        return (await self._act(model, "fields_get", {"fields_names": list(names)})).parse(_FIELDS)

    async def search(self, model: str, domain: Domain, form: type[Record]) -> list[Record]:
        """Read the active records that the user may see and that fulfil the domain."""
        packed = base64.urlsafe_b64encode(json.dumps(domain).encode()).decode()
        answer = await self._http.request(
            "GET",
            f"{self._models}/{model}",
            params={"d": packed, "f": list(form.model_fields)},
            headers=self._signed,
        )
        records: TypeAdapter[list[Record]] = TypeAdapter(list[form])  # type: ignore[valid-type]
        return _accepted(answer, model).parse(records)

    async def _rpc(self, method: str, deadline: float | None = None) -> Answer:
        body = {"id": 1, "method": method, "params": []}
        return await self._http.request("POST", "/rpc/", json=body, deadline=deadline)

    async def _act(self, model: str, method: str, body: Mapping[str, Any]) -> Answer:
        path = f"{self._models}/{model}/{method}"
        return _accepted(await self._http.request("POST", path, json=body, headers=self._signed), model)


def _accepted(answer: Answer, model: str) -> Answer:
    """Let an answer through unless it is a refusal: 400 with Tryton's message."""
    if answer.status == 400:
        try:
            answer.parse(_REFUSAL)
        except HttpFault:
            raise HttpFault(Fault.STATUS, status=400) from None
        raise TrytonRefusal(model)
    return answer.expect_success()
