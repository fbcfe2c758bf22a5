"""Why one item is not booked: one row a kind, with what Pleo shows its user (E1-E14).

Beside `failures`, which is about whole jobs. Texts are the documented ones where Pleo documents one (C4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from adapters.accounting.failures import PLEO_TEXT_LIMIT, PleoReason
from adapters.texts import plain


class ItemFailureKind(StrEnum):
    """Kinds of failure that concern one item alone (L68)."""

    JOURNAL_NOT_CONFIGURED = "journal_not_configured"
    ACCOUNT_NOT_CONFIGURED = "account_not_configured"
    EXPENSE_ACCOUNT_MISSING = "expense_account_missing"
    TAX_CODE_UNKNOWN = "tax_code_unknown"
    ACCOUNT_UNKNOWN = "account_unknown"
    TAG_UNKNOWN = "tag_unknown"
    VENDOR_UNKNOWN = "vendor_unknown"
    RECEIPT_TOO_LARGE = "receipt_too_large"
    RECEIPT_NOT_DOWNLOADED = "receipt_not_downloaded"
    RECEIPT_NOT_UPLOADED = "receipt_not_uploaded"
    RECEIPT_FORMAT_REFUSED = "receipt_format_refused"
    PERIOD_CLOSED = "period_closed"
    REFUSED_BY_SYSTEM = "refused_by_system"
    UNKNOWN_TYPE = "unknown_type"
    METHOD_UNSUPPORTED = "method_unsupported"
    NOT_BALANCED = "not_balanced"
    FRACTION_OF_A_HUNDREDTH = "fraction_of_a_hundredth"
    SIGN_CONTRADICTS_TYPE = "sign_contradicts_type"
    CURRENCY_UNVERIFIED = "currency_unverified"
    TAX_DOES_NOT_ADD_UP = "tax_does_not_add_up"
    SYSTEM_UNREACHABLE = "system_unreachable"
    SYSTEM_TIMED_OUT = "system_timed_out"
    SYSTEM_THROTTLED = "system_throttled"
    SYSTEM_REFUSES_CREDENTIALS = "system_refuses_credentials"
    SYSTEM_DENIES_ACCESS = "system_denies_access"
    PAYLOAD_MISSING = "payload_missing"
    PAYLOAD_UNREADABLE = "payload_unreadable"
    UNEXPECTED = "unexpected"


class _Row(NamedTuple):
    type: str
    text: str


_VENDOR_TEXT = (
    "Selected vendor cannot be processed because it does not exist or is currently blocked. Please verify "
    "the vendor’s status in the accounting system and try again."  # noqa: RUF001 - Pleo's own apostrophe
)

ITEM_CATALOGUE: Mapping[ItemFailureKind, _Row] = {
    ItemFailureKind.JOURNAL_NOT_CONFIGURED: _Row(
        "missing_configuration", "Journal {name} missing: provide journal {name} in the configurations"
    ),
    ItemFailureKind.ACCOUNT_NOT_CONFIGURED: _Row(
        "missing_configuration", "Account {name} missing: provide account {name} in the configurations"
    ),
    ItemFailureKind.EXPENSE_ACCOUNT_MISSING: _Row(
        "missing_configuration", "Account {name} missing: provide account {name} in the configurations"
    ),
    ItemFailureKind.TAX_CODE_UNKNOWN: _Row(
        "invalid_configuration", "Tax Code {name} does not exist in the Accounting System"
    ),
    ItemFailureKind.ACCOUNT_UNKNOWN: _Row(
        "invalid_configuration",
        "Account No. {name} does not exist in the Accounting System. Check Category.",
    ),
    ItemFailureKind.TAG_UNKNOWN: _Row(
        "invalid_configuration",
        "Tag with code {name} does not exist on the Accounting System. Check the Tag.",
    ),
    ItemFailureKind.VENDOR_UNKNOWN: _Row("vendor_unknown", _VENDOR_TEXT),
    ItemFailureKind.RECEIPT_TOO_LARGE: _Row(
        "receipt_file_size_limit_exceeded",
        "A receipt is larger than the Accounting System takes ({limit}). Attach a smaller file and "
        "export again.",
    ),
    ItemFailureKind.RECEIPT_NOT_DOWNLOADED: _Row(
        "receipt_download_failure", "A receipt could not be downloaded from Pleo. Export the expense again."
    ),
    ItemFailureKind.RECEIPT_NOT_UPLOADED: _Row(
        "receipt_upload_failure",
        "The Accounting System did not take a receipt. Export the expense again; if it stays, ask "
        "its administrator.",
    ),
    ItemFailureKind.RECEIPT_FORMAT_REFUSED: _Row(
        "receipt_conversion_failure",
        "A receipt has a format that the Accounting System does not take ({name}). Attach a PDF or "
        "a picture.",
    ),
    ItemFailureKind.PERIOD_CLOSED: _Row("accounting_system_validation_failure", "Closed accounting period"),
    ItemFailureKind.REFUSED_BY_SYSTEM: _Row("accounting_system_validation_failure", "{answer}"),
    ItemFailureKind.UNKNOWN_TYPE: _Row(
        "validation_failure",
        "The integration does not know expenses of type {name}. Update it, or book this expense by hand.",
    ),
    ItemFailureKind.METHOD_UNSUPPORTED: _Row(
        "validation_failure",
        "The integration does not book by method {name}. Book this expense by hand.",
    ),
    ItemFailureKind.NOT_BALANCED: _Row(
        "validation_failure",
        "The lines of the expense do not add up to its amount. Correct the split in Pleo and export again.",
    ),
    ItemFailureKind.FRACTION_OF_A_HUNDREDTH: _Row(
        "validation_failure",
        "An amount of the expense has more than two decimals. Correct it in Pleo, or book this "
        "expense by hand.",
    ),
    ItemFailureKind.SIGN_CONTRADICTS_TYPE: _Row(
        "validation_failure",
        "The sign of the amount does not fit an expense of type {name}. Book this expense by hand.",
    ),
    ItemFailureKind.CURRENCY_UNVERIFIED: _Row(
        "validation_failure",
        "Amounts in {name} are not booked yet: their decimals are not verified. Book this expense by hand.",
    ),
    ItemFailureKind.TAX_DOES_NOT_ADD_UP: _Row(
        "validation_failure",
        "Net amount and tax do not add up to the amount of a line. Correct the tax in Pleo and export again.",
    ),
    ItemFailureKind.SYSTEM_UNREACHABLE: _Row(
        "accounting_system_unreachable",
        "The Accounting System could not be reached. Export the expense again.",
    ),
    ItemFailureKind.SYSTEM_TIMED_OUT: _Row(
        "accounting_system_timeout", "The Accounting System did not answer in time. Export the expense again."
    ),
    ItemFailureKind.SYSTEM_THROTTLED: _Row(
        "accounting_system_rate_limit",
        "The Accounting System takes no more requests for now. Export the expense again in some minutes.",
    ),
    ItemFailureKind.SYSTEM_REFUSES_CREDENTIALS: _Row(
        "accounting_system_authentication_failure",
        "The Accounting System refused the credentials. Renew them in the integration, then export again.",
    ),
    ItemFailureKind.SYSTEM_DENIES_ACCESS: _Row(
        "authorization_failure",
        "The integration may not create entries in the Accounting System. Give it that right, then "
        "export again.",
    ),
    ItemFailureKind.PAYLOAD_MISSING: _Row(
        "unexpected_failure", "Pleo did not give the data of the expense. Export it again."
    ),
    ItemFailureKind.PAYLOAD_UNREADABLE: _Row(
        "unexpected_failure",
        "The data of the expense has a form that the integration cannot read. Book this expense by hand.",
    ),
    ItemFailureKind.UNEXPECTED: _Row(
        "unexpected_failure", "Something unforeseen kept the expense from being booked. Export it again."
    ),
}


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """Why one item is not booked.

    Attributes:
        kind: row of the catalogue.
        facts: short nouns for the text, such as the account's code; never a secret or an address.

    """

    kind: ItemFailureKind
    facts: Mapping[str, str] = field(default_factory=dict)

    def told_to_pleo(self) -> PleoReason:
        """Give `failureReasonType` and `failureReason`, at most 255 characters (U24)."""
        row = ITEM_CATALOGUE[self.kind]
        facts = {"name": "", "limit": "30 MB", "answer": "The Accounting System refused the entry."}
        safe = {name: plain(value) for name, value in self.facts.items()}
        return PleoReason(row.type, plain(row.text.format_map({**facts, **safe}), PLEO_TEXT_LIMIT))
