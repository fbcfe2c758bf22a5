"""The failure catalogue: one row a kind, and the only place with texts about failures.

A row says whether waiting helps, who can mend it, what Pleo is told in either way of reporting, and
two sentences for a person: what happened and what to do. Sentences are templates over *facts*, short
nouns that the place of failure supplies (`{system}`, `{user}`, `{missing}`), so that no text is
assembled anywhere else and no exception's text ever reaches a person (rule of the house 6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from adapters.texts import FACT_LIMIT, cut_keeping_end, plain

PLEO_TEXT_LIMIT = 255
"""Characters of a `failureReason` (U24)."""

_SHORT_FACT = 50
"""Characters of one fact with which every remedy fits into that limit."""

DOCUMENTED_TEXT = "Failed to reach the Accounting System."


class FailureReporting(StrEnum):
    """What Pleo is told when an export fails: the documented text, or the specific cause and remedy."""

    # The triple of Pleo's pre-export validation page, to the letter (L47, C3).
    DOCUMENTED = "documented"
    # The most exact value of the job enumeration, and a text with cause and remedy.
    SPECIFIC = "specific"


class Resolution(StrEnum):
    """What ends a failure; every outcome has exactly one (rule of the house 4)."""

    RETRY_LATER = "retry later"
    PERSON = "a person must act"
    DEFECT = "a defect of this integration"


class FailureKind(StrEnum):
    """Kinds of failure that end an export job before its items are processed."""

    CONNECTION_REFUSED = "connection_refused"
    UNKNOWN_HOST = "unknown_host"
    TLS_FAILED = "tls_failed"
    CONNECTION_LOST = "connection_lost"
    TIMED_OUT = "timed_out"
    SERVER_ERROR = "server_error"
    NOT_THE_SYSTEM = "not_the_system"
    WRONG_ADDRESS = "wrong_address"
    VERSION_UNSUPPORTED = "version_unsupported"
    DATABASE_SILENT = "database_silent"
    THROTTLED = "throttled"
    CREDENTIALS_REFUSED = "credentials_refused"
    ACCESS_REVOKED = "access_revoked"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    STORAGE_NOT_WRITABLE = "storage_not_writable"
    STORAGE_MISSING = "storage_missing"
    UNUSABLE_BOOKS = "unusable_books"
    NO_OPEN_PERIOD = "no_open_period"
    CREATION_NOT_ALLOWED = "creation_not_allowed"
    COMPANY_UNKNOWN = "company_unknown"
    BOOKS_COMPANY_UNKNOWN = "books_company_unknown"
    BOOKS_COMPANY_UNNAMED = "books_company_unnamed"
    BOOKS_COMPANY_NOT_CURRENT = "books_company_not_current"
    VENDOR_BOOKKEEPING_UNSUPPORTED = "vendor_bookkeeping_unsupported"
    CONFIGURATION_MISSING = "configuration_missing"
    DEFECT = "defect"
    PLEO_UNAVAILABLE = "pleo_unavailable"
    PLEO_THROTTLED = "pleo_throttled"
    PLEO_CREDENTIALS_REFUSED = "pleo_credentials_refused"
    PLEO_ACCESS_MISSING = "pleo_access_missing"
    PLEO_ANSWER_UNUSABLE = "pleo_answer_unusable"
    PLEO_REQUEST_REFUSED = "pleo_request_refused"
    PLEO_JOB_UNKNOWN = "pleo_job_unknown"
    PLEO_CONTRA_ACCOUNTS_MISSING = "pleo_contra_accounts_missing"
    PLEO_RESULTS_MISSING = "pleo_results_missing"
    PLEO_TIME_SHORT = "pleo_time_short"
    PLEO_TOKEN_FILE_UNUSABLE = "pleo_token_file_unusable"  # noqa: S105 - no secret

    @property
    def concerns_pleo(self) -> bool:
        """Whether it is Pleo's side that failed, not the accounting system's."""
        return self.value.startswith("pleo_")


class PleoReason(NamedTuple):
    """What the event `failed` carries: `failureReasonType` and `failureReason`."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of failure; see the module's docstring."""

    resolution: Resolution
    who: str
    specific_type: str
    cause: str
    remedy: str
    documented_type: str = "accounting_system_unreachable"

    @property
    def transient(self) -> bool:
        """Whether a later attempt can succeed although nobody acts."""
        return self.resolution is Resolution.RETRY_LATER


_AS_ADMIN = "administrator of the accounting system"
_ENGINEER = "integration engineer"
_PLEO_ADMIN = "administrator in Pleo"
_OPERATOR = "operator, by trying again later"
_DEVELOPERS = "developers of this integration"

_LATER = Resolution.RETRY_LATER
_PERSON = Resolution.PERSON

CATALOGUE: Mapping[FailureKind, Row] = {
    FailureKind.CONNECTION_REFUSED: Row(
        _LATER,
        _AS_ADMIN,
        "accounting_system_unreachable",
        "{system} does not accept connections at its configured address.",
        "Start {system} or open its port, then export again.",
    ),
    FailureKind.UNKNOWN_HOST: Row(
        _LATER,
        _ENGINEER,
        "accounting_system_unreachable",
        "The host name of {system} is unknown or there is no way to it.",
        "Check the host name in the connection and the network, then export again.",
    ),
    FailureKind.TLS_FAILED: Row(
        _LATER,
        _AS_ADMIN,
        "accounting_system_unreachable",
        "No trusted encrypted connection to {system} could be made.",
        "Renew the certificate of {system} or make its authority known here, then export again.",
    ),
    FailureKind.CONNECTION_LOST: Row(
        _LATER,
        _OPERATOR,
        "accounting_system_unreachable",
        "The connection to {system} broke off in the middle of an answer.",
        "Export again in some minutes; if it stays, look at the network and at the log of {system}.",
    ),
    FailureKind.TIMED_OUT: Row(
        _LATER,
        _OPERATOR,
        "accounting_system_timeout",
        "{system} did not answer completely in the time allowed.",
        "Export again in some minutes; if it stays, look at the load of {system}.",
    ),
    FailureKind.SERVER_ERROR: Row(
        _LATER,
        _AS_ADMIN,
        "accounting_system_unreachable",
        "{system} reports a fault of its own or maintenance.",
        "Wait until {system} works again, then export again; its log tells more.",
    ),
    FailureKind.NOT_THE_SYSTEM: Row(
        _PERSON,
        _ENGINEER,
        "accounting_system_unreachable",
        "What answers at the configured address is not {system}.",
        "Correct the address in the connection, or let requests pass the login page in between.",
    ),
    FailureKind.WRONG_ADDRESS: Row(
        _PERSON,
        _ENGINEER,
        "invalid_configuration",
        "The configured address does not lead to one set of books of {system}.",
        "Correct {setting} in the connection, then export again.",
    ),
    FailureKind.VERSION_UNSUPPORTED: Row(
        _PERSON,
        _ENGINEER,
        "invalid_configuration",
        "{system} has {version}, with which this integration does not work.",
        "Upgrade {system} to {supported}, or this integration to one for that version, then export again.",
    ),
    FailureKind.DATABASE_SILENT: Row(
        _LATER,
        _AS_ADMIN,
        "accounting_system_timeout",
        "{system} answers, but its database does not.",
        "Look whether the database server of {system} runs and is not overloaded, then export again.",
    ),
    FailureKind.THROTTLED: Row(
        _LATER,
        _OPERATOR,
        "accounting_system_rate_limit",
        "{system} refuses further requests for now.",
        "Export again in some minutes; if it stays, raise the limit in {system}.",
    ),
    FailureKind.CREDENTIALS_REFUSED: Row(
        _PERSON,
        _ENGINEER,
        "accounting_system_authentication_failure",
        "{system} refused {credential}.",
        "Get valid credentials for {system}, save them in the connection, then export again.",
    ),
    FailureKind.ACCESS_REVOKED: Row(
        _PERSON,
        _AS_ADMIN,
        "authorization_failure",
        "{system} denies access to {user}.",
        "Give {user} access to {system} again, then export again.",
    ),
    FailureKind.READ_ONLY: Row(
        _PERSON,
        _AS_ADMIN,
        "validation_failure",
        "{system} is in read-only mode and takes no new entries.",
        "End the read-only mode of {system}, then export again.",
    ),
    FailureKind.LOCKED: Row(
        _PERSON,
        _AS_ADMIN,
        "validation_failure",
        "{system} is locked and takes no new entries.",
        "Unlock {system}, then export again.",
    ),
    FailureKind.STORAGE_NOT_WRITABLE: Row(
        _PERSON,
        _AS_ADMIN,
        "validation_failure",
        "{system} has no permission to write its {storage}.",
        "Give the account that runs {system} write permission on its {storage}, then export again.",
    ),
    FailureKind.STORAGE_MISSING: Row(
        _PERSON,
        _AS_ADMIN,
        "validation_failure",
        "The {storage} of {system} is gone.",
        "Put the {storage} of {system} back in its place and restart {system}, then export again.",
    ),
    FailureKind.UNUSABLE_BOOKS: Row(
        _PERSON,
        _AS_ADMIN,
        "validation_failure",
        "The {storage} of {system} has an error that keeps it from taking entries.",
        "Mend the errors that {system} shows for its {storage}, then export again.",
    ),
    FailureKind.NO_OPEN_PERIOD: Row(
        _PERSON,
        _AS_ADMIN,
        "validation_failure",
        "{system} has no open accounting period.",
        "Open a period in {system}, then export again.",
    ),
    FailureKind.CREATION_NOT_ALLOWED: Row(
        _PERSON,
        _AS_ADMIN,
        "authorization_failure",
        "{user} may not create entries in {system}.",
        "Give {user} the right to create entries in {system}, then export again.",
    ),
    FailureKind.COMPANY_UNKNOWN: Row(
        _PERSON,
        _ENGINEER,
        "invalid_configuration",
        "This export belongs to another company than the connection.",
        "Correct the company id in the connection, or connect that company, then export again.",
        documented_type="invalid_configuration",
    ),
    FailureKind.BOOKS_COMPANY_UNKNOWN: Row(
        _PERSON,
        _ENGINEER,
        "invalid_configuration",
        "{user} does not work for {company} in {system}.",
        "Correct {setting} in the connection, or give {user} access to {company} in {system}.",
        documented_type="invalid_configuration",
    ),
    FailureKind.BOOKS_COMPANY_UNNAMED: Row(
        _PERSON,
        _ENGINEER,
        "invalid_configuration",
        "{user} works for several companies in {system}, and the connection does not say for which to book.",
        "Write the company's name, as in {system}, into {setting}, then export again.",
        documented_type="invalid_configuration",
    ),
    FailureKind.BOOKS_COMPANY_NOT_CURRENT: Row(
        _PERSON,
        _AS_ADMIN,
        "invalid_configuration",
        "{user} works for {company} in {system}, but it is not the current one of that user.",
        "Make {company} the current one of {user} in {system}, then export again.",
        documented_type="invalid_configuration",
    ),
    FailureKind.VENDOR_BOOKKEEPING_UNSUPPORTED: Row(
        _PERSON,
        _PLEO_ADMIN,
        "invalid_configuration",
        "Vendor-based bookkeeping is not supported with {system}.",
        "Switch vendor-based bookkeeping off in Pleo for this company, then export again.",
        documented_type="invalid_configuration",
    ),
    FailureKind.CONFIGURATION_MISSING: Row(
        _PERSON,
        _ENGINEER,
        "missing_configuration",
        "The configuration names {missing}, which {system} does not have or has closed.",
        "Provide {missing} in {system} or correct the configuration, then export again.",
        documented_type="missing_configuration",
    ),
    FailureKind.DEFECT: Row(
        Resolution.DEFECT,
        _DEVELOPERS,
        "validation_failure",
        "A check of {system} ended in a way that nobody foresaw.",
        "Send the log of this run to the developers of the integration.",
    ),
    FailureKind.PLEO_UNAVAILABLE: Row(
        _LATER,
        _OPERATOR,
        "validation_failure",
        "Pleo's API did not give a usable answer in the time allowed.",
        "Export again in some minutes.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_THROTTLED: Row(
        _LATER,
        _OPERATOR,
        "pleo_rate_limit",
        "Pleo's API refuses further requests for now.",
        "Export again in some minutes.",
        documented_type="pleo_rate_limit",
    ),
    FailureKind.PLEO_CREDENTIALS_REFUSED: Row(
        _PERSON,
        _PLEO_ADMIN,
        "validation_failure",
        "Pleo's API refused the credentials of the integration.",
        "Create a new API key in Pleo, or authorize the integration again, and save it in the connection.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_ACCESS_MISSING: Row(
        _PERSON,
        _PLEO_ADMIN,
        "validation_failure",
        "Pleo's API does not grant the integration access to its export jobs.",
        "Grant the scopes export-jobs:read, export-jobs:write and export-items:read in Pleo.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_ANSWER_UNUSABLE: Row(
        Resolution.DEFECT,
        _DEVELOPERS,
        "validation_failure",
        "Pleo's API answered in another form than it documents.",
        "Check the address of Pleo's API in the connection; if it is right, tell the developers.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_REQUEST_REFUSED: Row(
        Resolution.DEFECT,
        _DEVELOPERS,
        "validation_failure",
        "Pleo's API did not accept a request of the integration.",
        "Send the log of this run to the developers of the integration.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_JOB_UNKNOWN: Row(
        _PERSON,
        _OPERATOR,
        "validation_failure",
        "Pleo's API knows no such export job, or does not show it to this connection.",
        "Check the job id, and that the connection is the one of the job's company.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_CONTRA_ACCOUNTS_MISSING: Row(
        _PERSON,
        _PLEO_ADMIN,
        "missing_configuration",
        "Contra accounts are missing in Pleo's accounting settings. {detail}",
        "Map a contra account for every Pleo account, then export again.",
        documented_type="missing_configuration",
    ),
    FailureKind.PLEO_RESULTS_MISSING: Row(
        Resolution.DEFECT,
        _DEVELOPERS,
        "validation_failure",
        "Pleo still holds items without a result although all of them were reported.",
        "Run the job again; if it stays, send the log of this run to the developers.",
        documented_type="validation_failure",
    ),
    FailureKind.PLEO_TIME_SHORT: Row(
        _LATER,
        _OPERATOR,
        "service_timeout",
        "The time that Pleo allows for an export was nearly over before every item was booked.",
        "Export again: what is booked already is found, and not booked again.",
        documented_type="service_timeout",
    ),
    FailureKind.PLEO_TOKEN_FILE_UNUSABLE: Row(
        _PERSON,
        _ENGINEER,
        "validation_failure",
        "The file that keeps the connection's tokens for Pleo cannot be read or written.",
        "Give the integration write permission on PLEO_EXPORT_PLEO__OAUTH__TOKEN_FILE and its folder.",
        documented_type="validation_failure",
    ),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure as it happened: its kind and the facts that fill the kind's sentences.

    Attributes:
        kind: row of the catalogue.
        facts: short nouns for the sentences; never a secret, an address or a stack trace.
        evidence: what was seen, for the operator only ("HTTP 502").

    """

    kind: FailureKind
    facts: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""

    @property
    def row(self) -> Row:
        """The catalogue's row."""
        return CATALOGUE[self.kind]

    @property
    def cause(self) -> str:
        """What happened, for a person."""
        return sentence(self.row.cause, self.facts)

    @property
    def remedy(self) -> str:
        """What to do, for a person."""
        return sentence(self.row.remedy, self.facts)

    def told_to_pleo(self, reporting: FailureReporting) -> PleoReason:
        """`failureReasonType` and `failureReason` of the event `failed`, at most 255 characters (U24)."""
        if reporting is FailureReporting.DOCUMENTED:
            if self.row.documented_type == "accounting_system_unreachable":
                return PleoReason("accounting_system_unreachable", DOCUMENTED_TEXT)
            return PleoReason(self.row.documented_type, self._cause_and_remedy())
        return PleoReason(self.row.specific_type, self._cause_and_remedy())

    def _cause_and_remedy(self) -> str:
        remedy = self.remedy
        if len(remedy) > PLEO_TEXT_LIMIT:  # rather a cut name than a remedy that breaks off
            remedy = sentence(self.row.remedy, self.facts, fact_limit=_SHORT_FACT)
        return cut_keeping_end(self.cause, remedy, PLEO_TEXT_LIMIT)


_FACTS_IF_UNKNOWN = {
    "system": "the accounting system",
    "credential": "the credentials",
    "user": "the integration's user",
    "setting": "the address",
    "storage": "data",
    "missing": "an account or journal",
    "count": "some",
    "company": "the company",
    "version": "a version",
    "supported": "a supported version",
    "date": "today",
}


def sentence(template: str, facts: Mapping[str, str], *, fact_limit: int = FACT_LIMIT) -> str:
    """Fill a template with facts made safe to show; for facts that are not given, general nouns stand in."""
    safe = {name: plain(fact, fact_limit) for name, fact in facts.items()}
    text = template.format_map(defaultdict(str, {**_FACTS_IF_UNKNOWN, **safe})).strip()
    return text[:1].upper() + text[1:]
