"""Why an entry or a receipt did not come into Tryton, as kinds of the catalogue of items.

Beside the kinds it holds the short sentences for what only Tryton refuses: they are facts of the kind
`REFUSED_BY_SYSTEM`, which shows the first 120 characters of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from adapters.accounting.answers import kind_of
from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.item_failures import ItemFailure, ItemFailureKind
from adapters.accounting.tryton.client import TrytonRefusal
from adapters.faults import HttpFault
from adapters.texts import plain


class Sentence(StrEnum):
    """What people read about an entry that Tryton would not take or did not take."""

    OTHER_CURRENCY = "The books are kept in {books}, not in {entry}. Book this expense by hand."
    ACCOUNT = "Account {account} {flaw} in Tryton. Choose another account."
    ACCOUNT_TWICE = "Tryton has several accounts with the code {account}. Choose another account."
    TOO_LARGE = "The entry is larger than Tryton takes. Book this expense by hand."
    UNEXPLAINED = "Tryton refused the entry and did not say why. Ask its administrator."
    NOT_POSTED = "In Tryton as a draft that it would not post: {words}"
    MAY_NOT_POST = "the integration may not post it."


_BY_KIND: Mapping[FailureKind, ItemFailureKind] = {
    FailureKind.TIMED_OUT: ItemFailureKind.SYSTEM_TIMED_OUT,
    FailureKind.DATABASE_SILENT: ItemFailureKind.SYSTEM_TIMED_OUT,
    FailureKind.THROTTLED: ItemFailureKind.SYSTEM_THROTTLED,
    FailureKind.CREDENTIALS_REFUSED: ItemFailureKind.SYSTEM_REFUSES_CREDENTIALS,
    FailureKind.ACCESS_REVOKED: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.CREATION_NOT_ALLOWED: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.BOOKS_COMPANY_UNKNOWN: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.BOOKS_COMPANY_UNNAMED: ItemFailureKind.SYSTEM_DENIES_ACCESS,
    FailureKind.BOOKS_COMPANY_NOT_CURRENT: ItemFailureKind.SYSTEM_DENIES_ACCESS,
}


def of_system(cause: HttpFault | CheckFailed) -> ItemFailure:
    """Give the failure of an entry that is not booked because of the state of the whole system."""
    kind = cause.failure.kind if isinstance(cause, CheckFailed) else kind_of(cause)
    return ItemFailure(_BY_KIND.get(kind, ItemFailureKind.SYSTEM_UNREACHABLE))


def refused(sentence: Sentence, **facts: str) -> ItemFailure:
    """Give the failure of an entry that Tryton would not take, for a reason that is known beforehand."""
    return ItemFailure(ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": sentence.format_map(facts)})


def in_words(refusal: TrytonRefusal) -> ItemFailure:
    """Give the failure of an entry that Tryton refused, in its own words, made safe and cut."""
    answer = plain(refusal.words) or Sentence.UNEXPLAINED.value
    return ItemFailure(ItemFailureKind.REFUSED_BY_SYSTEM, {"answer": answer})


def not_posted(words: str) -> ItemFailure:
    """Give the failure of an entry that is in Tryton but could not be booked for good."""
    return refused(Sentence.NOT_POSTED, words=plain(words) or Sentence.UNEXPLAINED.value)
