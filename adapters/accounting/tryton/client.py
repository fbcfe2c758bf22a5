"""The requests that a Tryton is asked, and what its answers mean on the wire.

Two of its interfaces are used: JSON-RPC for what it tells anyone, REST with an application key for one
database. Checks use only requests that Tryton itself runs in a read-only transaction; `create`, `press` and
`upload` are the ones that write.

REST, not JSON-RPC, tells at once whether a database exists: 404 if not, where JSON-RPC takes 30 s.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

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


class _Created(BaseModel):
    id: int


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


_VERSION = TypeAdapter(_Result[str])
_REFUSAL = TypeAdapter(_Refusal)
_PREFERENCES = TypeAdapter(Preferences)
_RIGHTS = TypeAdapter(dict[str, Rights])
_ONE = TypeAdapter(_Created)
_IDS = TypeAdapter(list[int])
_FIELDS = TypeAdapter(dict[str, FieldDefinition])


class TrytonRefusal(Exception):
    """Tryton answered a request with a refusal of its own, such as a right that is missing.

    Attributes:
        model: what was asked for.
        words: Tryton's own, in the user's language and not made safe; never a part of `str()`.

    """

    def __init__(self, model: str, words: str = "") -> None:
        self.model = model
        self.words = words
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
        return _accepted(answer, model).parse(_list_of(form))

    async def select(self, model: str, domain: Domain, form: type[Record]) -> list[Record]:
        """Do what `search` does, for domains of any length: they are not part of the address."""
        body = {"domain": domain, "fields_names": list(form.model_fields)}
        return (await self._act(model, "search_read", body)).parse(_list_of(form))

    async def create(self, model: str, records: Sequence[Mapping[str, Any]]) -> list[int]:
        """Create records, all of them or none, and give their ids in the same order.

        Tryton says why it refuses one record; of several it refuses some with a bare 403.
        """
        if len(records) == 1:
            return [(await self._send(model, {"json": records[0]})).parse(_ONE).id]
        ids = (await self._act(model, "create", {"vlist": list(records)})).parse(_IDS)
        if len(ids) != len(records):
            raise HttpFault(Fault.WRONG_SHAPE, status=200)
        return ids

    async def press(self, model: str, record: int, button: str, form: type[Record]) -> Record:
        """Press a button of a record, and read the record back."""
        params = {"f": list(form.model_fields)}
        return (await self._act(model, f"{record}/{button}", {}, params)).parse(TypeAdapter(form))

    async def upload(self, model: str, body: AsyncIterable[bytes], length: int) -> None:
        """Create one record from JSON of so many bytes, which is read as it is sent."""
        await self._send(model, {"content": body}, {"content-length": str(length)})

    async def has_web_client(self) -> bool:
        """Ask whether the address serves Tryton's web client to people, too."""
        answer = await self._http.request("GET", "/")
        return answer.status == 200 and "text/html" in answer.headers.get("content-type", "")

    async def _rpc(self, method: str, deadline: float | None = None) -> Answer:
        body = {"id": 1, "method": method, "params": []}
        return await self._http.request("POST", "/rpc/", json=body, deadline=deadline)

    async def _act(
        self, model: str, method: str, body: Mapping[str, Any], params: Mapping[str, list[str]] | None = None
    ) -> Answer:
        path = f"{self._models}/{model}/{method}"
        answer = await self._http.request("POST", path, json=body, params=params, headers=self._signed)
        return _accepted(answer, model)

    async def _send(
        self, model: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Create one record by Tryton's own request for that, which tells why it refuses."""
        answer = await self._http.request(
            "POST",
            f"{self._models}/{model}",
            params={"f": "id"},
            headers={"content-type": "application/json", **self._signed, **(headers or {})},
            **body,
        )
        return _accepted(answer, model)


def _list_of(form: type[Record]) -> TypeAdapter[list[Record]]:
    return TypeAdapter(list[form])  # type: ignore[valid-type]


def _accepted(answer: Answer, model: str) -> Answer:
    """Let an answer through unless it is a refusal: 400 with Tryton's message."""
    if answer.status == 400:
        try:
            refusal = answer.parse(_REFUSAL)
        except HttpFault:
            raise HttpFault(Fault.STATUS, status=400) from None
        raise TrytonRefusal(model, refusal.message)
    return answer.expect_success()
