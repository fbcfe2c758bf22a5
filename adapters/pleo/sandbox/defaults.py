"""What every sandbox starts with: known credentials for local use, and the accounts of its items."""

from __future__ import annotations

COMPANY_ID = "9b1f3f52-30c4-4d3e-8f0a-6b0f6ad2c901"
"""Company of the default credentials and of the installation."""

# These credentials open nothing but a sandbox on the reader's own machine.
API_KEY = "sandbox-api-key"
"""Sent as HTTP Basic user name with an empty password (L5)."""

ACCESS_TOKEN = "sandbox-access-token"  # noqa: S105
"""Sent as Bearer (L4). It belongs to `REFRESH_TOKEN` and dies when that one is used (L8)."""

REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105

EXPENSE_ACCOUNTS = (
    "Expenses:Travel",
    "Expenses:Meals",
    "Expenses:Software",
    "Expenses:Office",
    "Expenses:Marketing",
)
"""Account codes that generated lines carry unless a job asks for others."""

CONTRA_ACCOUNT = "Assets:Pleo:Wallet"
"""Code of the contra account of generated items whose type touches the balance."""
