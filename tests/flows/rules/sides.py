"""The table of counter accounts written out once more, by hand: a slip in the product's shows against it."""

from __future__ import annotations

# Type, subType, the account that is debited and the one that is credited.
TRAVEL, WALLET, EMPLOYEES = "Expenses:Travel", "Assets:Wallet", "Liabilities:Employees"
BANK, PAYABLES = "Assets:Bank", "Liabilities:Payables"
SIDES = [
    ("card_purchase", None, TRAVEL, WALLET),
    ("card_invoice", None, TRAVEL, WALLET),
    ("atm_withdrawal", None, TRAVEL, WALLET),
    ("personal_spend", None, TRAVEL, WALLET),
    ("fee", None, TRAVEL, WALLET),
    ("fee", "interest", TRAVEL, WALLET),
    ("out_of_pocket", None, TRAVEL, EMPLOYEES),
    ("mileage", None, TRAVEL, EMPLOYEES),
    ("per_diem", None, TRAVEL, EMPLOYEES),
    ("direct_reimbursement", None, TRAVEL, WALLET),
    ("direct_reimbursement", "reimbursement_to_employee", TRAVEL, WALLET),
    ("direct_reimbursement", "reimbursement_to_employee_refund", WALLET, TRAVEL),
    ("direct_reimbursement", "reimbursement_to_company", WALLET, TRAVEL),
    ("external_reimbursement", None, TRAVEL, BANK),
    ("external_reimbursement", "reimbursement_to_employee", TRAVEL, BANK),
    ("external_reimbursement", "reimbursement_to_employee_refund", BANK, TRAVEL),
    ("external_reimbursement", "reimbursement_to_company", BANK, TRAVEL),
    ("invoice", None, TRAVEL, PAYABLES),
    ("invoice_payment", None, TRAVEL, WALLET),
    ("invoice_payment", "invoice_payment_sent", TRAVEL, WALLET),
    ("invoice_payment", "invoice_payment_returned", WALLET, TRAVEL),
    ("refund", None, WALLET, TRAVEL),
    ("chargeback", None, WALLET, TRAVEL),
    ("cashback", None, WALLET, TRAVEL),
    ("wallet_topup", None, WALLET, TRAVEL),
    ("wallet_unload", None, TRAVEL, WALLET),
]
EITHER_SIGN = {
    ("direct_reimbursement", "reimbursement_to_employee_refund"),
    ("direct_reimbursement", "reimbursement_to_company"),
    ("external_reimbursement", "reimbursement_to_employee_refund"),
    ("external_reimbursement", "reimbursement_to_company"),
    ("invoice_payment", "invoice_payment_returned"),
    ("refund", None),
    ("chargeback", None),
    ("cashback", None),
    ("wallet_unload", None),
}
