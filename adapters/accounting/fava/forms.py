"""The forms of what Fava answers: only what the integration reads."""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Envelope(BaseModel, Generic[T]):
    """What every answer is wrapped in."""

    data: T
    mtime: str


class Refusal(BaseModel):
    """What every refusal is."""

    error: str


class AccountDetails(BaseModel):
    """One account of the ledger, whether it is ever opened or not."""

    close_date: dt.date | None


class _InsertOption(BaseModel):
    filename: str


class _FavaOptions(BaseModel):
    default_file: str | None = None
    insert_entry: list[_InsertOption] = []


class _Options(BaseModel):
    """`filename` is the main file; there is none while that file is gone."""

    filename: str | None
    include: list[str]
    documents: list[str] = []


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


class LedgerError(BaseModel):
    """One error that the ledger has.

    Attributes:
        message: Beancount's words; a plugin's can hold anything.
        source: where: `filename`, `lineno`, and metadata of the entry, if it is an entry's.

    """

    message: str
    source: dict[str, Any] | None
    type: str


class _Where(BaseModel):
    filename: str = ""
    lineno: int = 0


class JournalEntry(BaseModel):
    """Any directive of the ledger.

    Attributes:
        t: its kind, as Beancount calls it.
        meta: where it stands: file, and line from 1.
        links: of the kinds that have any.
        account: of the kinds that are about one.
        currencies: that an account is opened for; None for any.

    """

    t: str
    date: dt.date
    entry_hash: str
    meta: _Where
    links: list[str] | None = None
    account: str | None = None
    currencies: list[str] | None = None


class _Posting(BaseModel):
    account: str


class Transaction(BaseModel):
    """A transaction as Fava gives it, as far as receipts need it."""

    date: dt.date
    meta: dict[str, Any]
    postings: list[_Posting]


class Context(BaseModel):
    """An entry with what surrounds it."""

    entry: Transaction
