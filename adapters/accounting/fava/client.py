"""The requests that a Fava ledger is asked, and what its answers mean on the wire.

Fava wraps every answer as `{"data": …, "mtime": "…"}` and every refusal as `{"error": "…"}`. An answer
without that envelope is not Fava's, whatever its status.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, TypeAdapter

from adapters.faults import Fault, HttpFault
from adapters.http import Answer, HttpClient

T = TypeVar("T")


class _Envelope(BaseModel, Generic[T]):
    data: T
    mtime: str


class _Error(BaseModel):
    error: str


class AccountDetails(BaseModel):
    """One account of the ledger. `meta` tells where it is opened; it is empty for one that never is."""

    close_date: dt.date | None
    meta: dict[str, Any]


class _InsertOption(BaseModel):
    filename: str


class _FavaOptions(BaseModel):
    default_file: str | None = None
    insert_entry: list[_InsertOption] = []


class _Options(BaseModel):
    """`filename` is the main file; there is none while that file is gone."""

    filename: str | None
    include: list[str]


class LedgerData(BaseModel):
    """What Fava tells about its ledger as a whole."""

    account_details: dict[str, AccountDetails]
    errors: list[dict[str, Any]]
    fava_options: _FavaOptions
    options: _Options
    other_ledgers: list[Any] = Field(default_factory=list)

    @property
    def is_loaded(self) -> bool:
        """Whether the main file was there when Fava read it last."""
        return bool(self.options.filename and self.options.include)

    @property
    def files_written(self) -> list[str]:
        """Files into which Fava inserts new entries: the default one first, then those of `insert-entry`."""
        files = [self.fava_options.default_file or self.options.filename]
        files += [option.filename for option in self.fava_options.insert_entry]
        return list(dict.fromkeys(file for file in files if file))


class Source(BaseModel):
    """One source file as Fava reads it: its text with uniform line ends, and that text's SHA-256."""

    file_path: str
    sha256sum: str
    source: str


_CHANGED = TypeAdapter(_Envelope[bool])
_LEDGER_DATA = TypeAdapter(_Envelope[LedgerData])
_SOURCE = TypeAdapter(_Envelope[Source])
_TEXT = TypeAdapter(_Envelope[str])
_ERROR = TypeAdapter(_Error)


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

    async def add_no_entries(self, ledger: str) -> None:
        """Ask Fava to store an empty list of entries: it opens no file.

        Raises:
            WriteRefused: writing is not allowed, although reading may be.

        """
        answer = await self._http.request("PUT", f"{ledger}/api/add_entries", json={"entries": []})
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
    def _data(answer: Answer, form: TypeAdapter[_Envelope[T]]) -> T:
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
