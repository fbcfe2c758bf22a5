"""The requests that a Fava ledger is asked, and what its answers mean on the wire.

Fava wraps every answer as `{"data": …, "mtime": "…"}` and every refusal as `{"error": "…"}`. An answer
without that envelope is not Fava's, whatever its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from adapters.accounting.fava.forms import (
    Context,
    Envelope,
    JournalEntry,
    LedgerData,
    LedgerError,
    Refusal,
    Source,
    Transaction,
)
from adapters.faults import Fault, HttpFault
from adapters.http import Answer, HttpClient, Upload

T = TypeVar("T")

_CHANGED = TypeAdapter(Envelope[bool])
_LEDGER_DATA = TypeAdapter(Envelope[LedgerData])
_SOURCE = TypeAdapter(Envelope[Source])
_TEXT = TypeAdapter(Envelope[str])
_ERROR = TypeAdapter(Refusal)
_ERRORS = TypeAdapter(Envelope[list[LedgerError]])
_JOURNAL = TypeAdapter(Envelope[list[JournalEntry]])
_CONTEXT = TypeAdapter(Envelope[Context])


class FavaRefusal(Exception):
    """Fava itself answered 500 and named a reason.

    Attributes:
        reason: Fava's words. They can hold a path: compare with them, never show them.

    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("Fava refused a request")


class WriteRefused(Exception):
    """Fava, or a proxy in front of it, lets us read but not write."""

    def __init__(self, status: Literal[401, 403, 405]) -> None:
        self.status = status
        super().__init__(f"HTTP {status}")


class FavaClient:
    """Requests to one Fava server.

    `ledger` in each method is the path of one ledger on it, such as `/books-of-example`. Each method
    raises `HttpFault` if no usable answer came, `FavaRefusal` if Fava refused with a reason.

    Args:
        origin: scheme, host and port.
        user: name and password that a proxy in front of Fava asks for.
        deadline: seconds for one request.

    """

    def __init__(self, origin: str, *, user: tuple[str, str] | None, deadline: float) -> None:
        self._http = HttpClient(origin, deadline=deadline, basic=user)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def front_page(self, folder: str) -> Answer:
        """Ask for the page to which Fava answers with a redirect to its first ledger."""
        return await self._http.request("GET", f"{folder}/")

    async def changed(self, ledger: str) -> bool:
        """Have Fava reload the ledger if its files changed; tell whether they did. The cheapest request."""
        return self._data(await self._http.request("GET", f"{ledger}/api/changed"), _CHANGED)

    async def ledger_data(self, ledger: str) -> LedgerData:
        """Read accounts, options and errors of the ledger, as of Fava's last reload."""
        return self._data(await self._http.request("GET", f"{ledger}/api/ledger_data"), _LEDGER_DATA)

    async def source(self, ledger: str, file: str) -> Source:
        """Read one source file; Fava refuses one that is not part of the ledger."""
        params = {"filename": file}
        return self._data(await self._http.request("GET", f"{ledger}/api/source", params=params), _SOURCE)

    async def errors(self, ledger: str) -> list[LedgerError]:
        """Read the ledger's errors, as of Fava's last reload."""
        return self._data(await self._http.request("GET", f"{ledger}/api/errors"), _ERRORS)

    async def journal(self, ledger: str, chosen: str) -> list[JournalEntry]:
        """Have Fava reload the ledger if its files changed; give the entries that its filter lets through.

        A filter's `name:"pattern"` looks at the field `name` of an entry or, if it has none, at its metadata.

        This is asked rather than Beancount's query language: with its output in a file, not on a screen,
        Fava 1.30.16 answers 500 to every query from the 970th on, until it is started anew.
        """
        params = {"filter": chosen}
        return self._data(await self._http.request("GET", f"{ledger}/api/journal", params=params), _JOURNAL)

    async def transaction(self, ledger: str, entry_hash: str) -> Transaction:
        """Read one transaction; `HttpFault` with status 404 if none has that hash (any more)."""
        params = {"entry_hash": entry_hash}
        answer = await self._http.request("GET", f"{ledger}/api/context", params=params)
        return self._data(answer, _CONTEXT).entry

    async def add_entries(self, ledger: str, entries: Sequence[Mapping[str, Any]]) -> None:
        """Have Fava store entries in its form. It opens no file for an empty list.

        Fava stores the entries one by one under a lock, and reads nothing of what it stores: a 200 says
        nothing about errors that the ledger has afterwards.

        Raises:
            WriteRefused: writing is not allowed, although reading may be.

        """
        answer = await self._http.request("PUT", f"{ledger}/api/add_entries", json={"entries": entries})
        self._data(_allowed(answer), _TEXT)

    async def add_document(self, ledger: str, place: Mapping[str, str], upload: Upload) -> None:
        """Have Fava keep a file in `folder` for `account`, named in the metadata of the entry `hash`.

        `HttpFault` with status 409: there is a file of that name. With 404: no entry has that hash, and
        the file is kept all the same.

        Raises:
            WriteRefused: writing is not allowed, although reading may be.
            OSError: the file cannot be opened.

        """
        answer = await self._http.request(
            "PUT", f"{ledger}/api/add_document", form=place, files={"file": upload}
        )
        self._data(_allowed(answer), _TEXT)

    async def name_document(self, ledger: str, entry_hash: str, filename: str) -> None:
        """Name a file that Fava keeps already in an entry's metadata.

        Raises:
            WriteRefused: writing is not allowed, although reading may be.

        """
        body = {"entry_hash": entry_hash, "filename": filename}
        answer = await self._http.request("PUT", f"{ledger}/api/attach_document", json=body)
        self._data(_allowed(answer), _TEXT)

    async def put_source(self, ledger: str, source: Source) -> None:
        """Replace one source file's text, provided that the file's present text has the given SHA-256.

        Raises:
            WriteRefused: writing is not allowed, although reading may be.

        """
        body = source.model_dump()
        answer = await self._http.request("PUT", f"{ledger}/api/source", json=body)
        self._data(_allowed(answer), _TEXT)

    @staticmethod
    def _data(answer: Answer, form: TypeAdapter[Envelope[T]]) -> T:
        if answer.status == 500:
            try:
                reason = answer.parse(_ERROR).error
            except HttpFault:
                raise HttpFault(Fault.STATUS, status=500) from None
            raise FavaRefusal(reason)
        return answer.expect_success().parse(form).data


def _allowed(answer: Answer) -> Answer:
    """Let an answer to a writing request through, unless it says that writing is not allowed.

    `fava --read-only` answers 401 without a challenge. A 401 with one comes from a proxy that asks for
    credentials (RFC 9110, 11.6.1), which is another matter.
    """
    if answer.status == 401 and "www-authenticate" not in answer.headers:
        raise WriteRefused(401)
    if answer.status == 403:
        raise WriteRefused(403)
    if answer.status == 405:
        raise WriteRefused(405)
    return answer
