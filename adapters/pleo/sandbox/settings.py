"""How a sandbox behaves where Pleo's documentation leaves room: page sizes, lifetimes, accounts."""

from __future__ import annotations

from dataclasses import dataclass

from .defaults import (
    ACCESS_TOKEN,
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    COMPANY_ID,
    CONTRA_ACCOUNT,
    EXPENSE_ACCOUNTS,
    REFRESH_TOKEN,
)

__all__ = [
    "ACCESS_TOKEN",
    "API_KEY",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "COMPANY_ID",
    "CONTRA_ACCOUNT",
    "EXPENSE_ACCOUNTS",
    "REFRESH_TOKEN",
    "SandboxSettings",
]


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How this sandbox behaves where Pleo's documentation gives no figure, or where a test wants another.

    Attributes:
        page_size: entries in a page when `limit` is absent; small, so that clients must page (U14).
        page_ceiling: larger limits are clamped to this (U14).
        job_lifetime_seconds: a job expires this long after its last update (L24).
        token_lifetime_seconds: `expires_in` of the tokens that `/oauth/token` issues (L7).
        refresh_lifetime_seconds: life of an unused refresh token (L9: at least 60 days).
        delivery_deadline_seconds: longest wait for one webhook delivery (U47).
        delivery_pauses_seconds: waits before the second, third ... attempt of a delivery.
        expense_accounts: account codes that generated lines take in turn.
        contra_account: code of the generated contra account; None leaves `contraAccount` null.

    """

    page_size: int = 20
    page_ceiling: int = 100
    job_lifetime_seconds: int = 3600
    token_lifetime_seconds: int = 3600
    refresh_lifetime_seconds: int = 60 * 24 * 3600
    delivery_deadline_seconds: float = 5.0
    delivery_pauses_seconds: tuple[float, ...] = (0.3, 1.0)
    expense_accounts: tuple[str, ...] = EXPENSE_ACCOUNTS
    contra_account: str | None = CONTRA_ACCOUNT
