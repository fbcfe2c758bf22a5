"""The people, shops and codes that generated items are made of. All names are invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Shop:
    """A place where cards are used. `rate` is supplier currency per unit of the wallet's currency."""

    name: str
    country: str
    category: str
    currency: str
    rate: float
    note: str


SHOPS: Final = (
    Shop("NORDRAIL AB", "SE", "4112", "SEK", 11.47, "Train to the client"),
    Shop("Café Havnen", "DK", "5812", "DKK", 7.46, "Lunch with partner"),
    Shop("Cloudheap Ltd", "GB", "5734", "GBP", 0.85, "Hosting, monthly"),
    Shop("Bürobedarf Lindner", "DE", "5943", "EUR", 1.0, "Paper and toner"),
    Shop("Taxi Królik", "PL", "4121", "PLN", 4.31, "Taxi to the airport"),
    Shop("Hotel Miramar", "PT", "7011", "EUR", 1.0, "Two nights, conference"),
    Shop("Pixelworks Inc", "US", "5734", "USD", 1.08, "Design licence"),
    Shop("Boulangerie du Port", "FR", "5462", "EUR", 1.0, "Breakfast for the team"),
)

PEOPLE: Final = (
    ("Ida Holm", "114"),
    ("Søren Krogh", "115"),
    ("Łucja Wójcik", "121"),
    ("Amélie Roux", "130"),
    ("Tom Baker", None),
)

TEAMS: Final = (("Sales", "S1"), ("Engineering", "E1"), ("Finance", None))

TAGS: Final = (("REGION", "NORTH"), ("REGION", "SOUTH"), ("PROJECT", "APOLLO"), ("PROJECT", "BEACON"))

TAX_CODES: Final = (("V25", 0.25, "inclusive"), ("V06", 0.06, "inclusive"), ("V20", 0.2, "exclusive"))

VENDORS: Final = (
    ("Cloudheap Ltd", "V-1001", "GB", "GB123456789"),
    ("Hotel Miramar", "V-1002", "PT", "PT501442600"),
    ("Bürobedarf Lindner", "V-1003", "DE", "DE811907980"),
)

USUAL_TYPES: Final = {
    "card_purchase": 68,
    "out_of_pocket": 9,
    "refund": 5,
    "mileage": 4,
    "per_diem": 2,
    "wallet_topup": 3,
    "fee": 3,
    "card_invoice": 2,
    "atm_withdrawal": 2,
    "cashback": 2,
}
"""How often each type comes, unless a job asks for other ones."""

WITH_SHOP: Final = frozenset(
    {"card_purchase", "card_invoice", "out_of_pocket", "refund", "chargeback", "invoice", "invoice_payment"}
)
"""Types that have a supplier, and may be split, taxed and evidenced by a file."""

WITH_CONTRA: Final = frozenset(
    {
        "card_purchase",
        "fee",
        "cashback",
        "refund",
        "chargeback",
        "direct_reimbursement",
        "invoice_payment",
        "card_invoice",
        "atm_withdrawal",
        "personal_spend",
        "wallet_topup",
        "wallet_unload",
    }
)
"""Types for which Pleo sends a contra account (contract, `ContraAccount`)."""

ALWAYS_JOURNAL: Final = frozenset({"wallet_topup", "wallet_unload"})
"""Types that are journal entries whatever the vendor (L71)."""
