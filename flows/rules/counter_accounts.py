"""Which way the money of an item goes, and which account stands against its expense accounts (L76, U33).

The table is data, to be reviewed by an accountant. What it does not list is refused, not guessed (U37).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from adapters.accounting.contract import BookingAccounts
from adapters.accounting.item_failures import ItemFailureKind
from adapters.environment import PREFIX
from adapters.pleo.export_items import Account, ExportItem
from flows.rules.refusal import NotBookable


class Role(StrEnum):
    """What a counter account is for; the fields of `BookingAccounts` (L77)."""

    WALLET = "wallet"
    OUT_OF_POCKET = "out_of_pocket"
    CONTRA = "contra"
    FALLBACK_PAYABLES = "fallback_payables"

    @property
    def setting(self) -> str:
        """The role and the name of its setting, for the person who is to set it."""
        return f"{self.value.replace('_', ' ')} ({PREFIX}ACCOUNTS__{self.upper()})"


class Direction(IntEnum):
    """Which side the expense accounts are booked on, as the sign of their amounts.

    `OUT`: they are debited, and the counter account is credited. `IN`: the other way about.
    """

    OUT = 1
    IN = -1


@dataclass(frozen=True, slots=True)
class Treatment:
    """How items of one type and subType are booked.

    Attributes:
        direction: which way the money goes.
        role: counter account to take where the item names none.
        either_sign: whether Pleo may send the amount as a negative number as well. Where it is not
            known which one Pleo sends, both mean the same (U30); otherwise a negative amount contradicts.

    """

    direction: Direction
    role: Role
    either_sign: bool = False


_OUT, _IN = Direction.OUT, Direction.IN

TREATMENTS: Mapping[tuple[str, str | None], Treatment] = {
    # Paid by card: the expense against the wallet.
    ("card_purchase", None): Treatment(_OUT, Role.WALLET),
    # An invoice that was paid by card.
    ("card_invoice", None): Treatment(_OUT, Role.WALLET),
    # Cash drawn with the card: the line's account is the one for cash.
    ("atm_withdrawal", None): Treatment(_OUT, Role.WALLET),
    # Private use of the company's money: the line's account is what the employee owes.
    ("personal_spend", None): Treatment(_OUT, Role.WALLET),
    # Pleo's own charges, and the interest on an overdraft (C22), which is a charge too.
    ("fee", None): Treatment(_OUT, Role.WALLET),
    ("fee", "interest"): Treatment(_OUT, Role.WALLET),
    # Paid by the employee, who is owed the sum from then on; the wallet is not touched.
    ("out_of_pocket", None): Treatment(_OUT, Role.OUT_OF_POCKET),
    ("mileage", None): Treatment(_OUT, Role.OUT_OF_POCKET),
    ("per_diem", None): Treatment(_OUT, Role.OUT_OF_POCKET),
    # The debt to the employee is settled from the wallet; the line's account is that debt.
    ("direct_reimbursement", None): Treatment(_OUT, Role.WALLET),
    ("direct_reimbursement", "reimbursement_to_employee"): Treatment(_OUT, Role.WALLET),
    # Such a payment came back, or the employee paid the company: into the wallet.
    ("direct_reimbursement", "reimbursement_to_employee_refund"): Treatment(_IN, Role.WALLET, True),
    ("direct_reimbursement", "reimbursement_to_company"): Treatment(_IN, Role.WALLET, True),
    # The same outside Pleo, through the bank or the payroll, which Pleo cannot name.
    ("external_reimbursement", None): Treatment(_OUT, Role.CONTRA),
    ("external_reimbursement", "reimbursement_to_employee"): Treatment(_OUT, Role.CONTRA),
    ("external_reimbursement", "reimbursement_to_employee_refund"): Treatment(_IN, Role.CONTRA, True),
    ("external_reimbursement", "reimbursement_to_company"): Treatment(_IN, Role.CONTRA, True),
    # The document: the expense against what is owed to the vendor.
    ("invoice", None): Treatment(_OUT, Role.FALLBACK_PAYABLES),
    # Its settlement from the wallet; the line's account is what was owed.
    ("invoice_payment", None): Treatment(_OUT, Role.WALLET),
    ("invoice_payment", "invoice_payment_sent"): Treatment(_OUT, Role.WALLET),
    ("invoice_payment", "invoice_payment_returned"): Treatment(_IN, Role.WALLET, True),
    # Money back from merchant, card scheme or Pleo: the expense (or income) is credited.
    ("refund", None): Treatment(_IN, Role.WALLET, True),
    ("chargeback", None): Treatment(_IN, Role.WALLET, True),
    ("cashback", None): Treatment(_IN, Role.WALLET, True),
    # From the bank into the wallet: the line's account, the bank or money in transit, is credited.
    ("wallet_topup", None): Treatment(_IN, Role.WALLET),
    # From the wallet back to the bank; whether Pleo sends it as a negative top-up is not known (U30).
    ("wallet_unload", None): Treatment(_OUT, Role.WALLET, True),
}
"""By type and subType; without a subType, the ordinary case of the type."""

ALWAYS_JOURNAL = frozenset({"wallet_topup", "wallet_unload"})
"""Types that are journal entries whatever method Pleo names (L71)."""


def treatment_of(item: ExportItem) -> Treatment:
    """Look up how an item is booked.

    Raises:
        NotBookable: the type, or the subType of that type, is not in the table (U37).

    """
    if treatment := TREATMENTS.get((item.type, item.sub_type or None)):
        return treatment
    name = f"{item.type}/{item.sub_type}" if item.sub_type else item.type
    raise NotBookable(ItemFailureKind.UNKNOWN_TYPE, name=name)


def counter_account(item: ExportItem, role: Role, accounts: BookingAccounts) -> str:
    """Give the account that Pleo names for the item, else the one configured for its role (L76).

    Raises:
        NotBookable: there is neither; the text names the setting (E2).

    """
    configured: str | None = getattr(accounts, role)
    if account := code_of(item.contra_account) or (configured or "").strip():
        return account
    raise NotBookable(ItemFailureKind.ACCOUNT_NOT_CONFIGURED, name=role.setting)


def code_of(account: Account | None) -> str:
    """Give the account in the accounting system: its `code`, else its `identifier`, else nothing.

    It goes as it is, but for spaces around it: an account that was made fit to read could be another one.
    """
    if account is None:
        return ""
    return (account.code or "").strip() or (account.identifier or "").strip()
