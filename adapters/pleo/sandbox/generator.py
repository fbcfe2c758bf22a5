"""The generator: export items as a company might have them, the same ones for the same recipe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID, uuid5

from . import catalogue
from .amounts import in_proportion, pair, split, tax_within
from .receipts import MEDIA_TYPES, RECEIPT_SIZES, link
from .recipe import Recipe
from .schemas import Json

_SPACE = UUID("6c1f9a9e-58a4-4f0e-9a53-0e5b7c3d2f10")


class ItemGenerator:
    """Makes the items of one recipe, in order. Items lie in the 60 days before `until` (Unix seconds)."""

    def __init__(self, recipe: Recipe, company_id: str, *, with_vendors: bool, until: float) -> None:
        self._recipe = recipe
        self._company = company_id
        self._with_vendors = with_vendors
        self._until = datetime.fromtimestamp(int(until), tz=UTC).replace(microsecond=0)
        self._rng = Random(recipe.seed)  # noqa: S311 - realism, not secrecy
        self._types = list(recipe.types)
        self._weights = list(recipe.types.values())
        self._accounts = [_account(code) for code in recipe.accounts]
        self._contra = _account(recipe.contra_account, "Pleo ") if recipe.contra_account else None

    def item(self, ordinal: int, entry_id: str | None) -> Json:
        """Make the next item; `ordinal` counts from 1 and only numbers it, it does not choose it."""
        rng = self._rng
        kind = rng.choices(self._types, self._weights)[0]
        generated_id = random_uuid(rng)
        shop = rng.choice(catalogue.SHOPS) if kind in catalogue.WITH_SHOP else None
        with_vendor = self._with_vendors and shop is not None and rng.random() < 0.6
        amount, lines = self._lines(shop)
        moment = self._until - timedelta(minutes=rng.randrange(60, 60 * 24 * 60))
        name, code = rng.choice(catalogue.PEOPLE)
        return {
            "accountingEntryId": entry_id or generated_id,
            "companyId": self._company,
            "type": kind,
            "subType": None,
            "date": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "note": shop.note if shop and rng.random() < 0.8 else None,
            "amount": amount,
            "accountingEntryLines": lines,
            "contraAccount": self._contra if kind in catalogue.WITH_CONTRA else None,
            "bookkeeping": self._bookkeeping(kind, with_vendor=with_vendor),
            "vendor": _vendor(rng) if with_vendor else None,
            "supplier": _supplier(shop) if shop else None,
            "user": {"id": _fixed_id("person " + name), "name": name, "code": code},
            "team": _team(rng) if rng.random() < 0.4 else None,
            "servicePeriod": None,
            "files": self._files() if shop and rng.random() < 0.35 else [],
            "additionalInformation": {
                "reconciliationId": str(20000 + ordinal),
                "attendees": [name, "Guest"] if shop and shop.category == "5812" else None,
                "reconciledEntries": None,
                "invoiceInformation": None,
            },
            "_links": {"web": {"exportItem": f"https://app.example/entries/{entry_id or generated_id}"}},
        }

    def _lines(self, shop: catalogue.Shop | None) -> tuple[Json, list[Json]]:
        """Make amount and lines; the lines add up to the amount in both currencies (U31)."""
        rng, wallet_currency = self._rng, self._recipe.currency
        currency = shop.currency if shop else wallet_currency
        rate = shop.rate if shop and currency != wallet_currency else 1.0
        wallet = rng.randrange(350, 90_000)
        supplier = max(round(wallet * rate), 10)
        parts = rng.choices((1, 2, 3), (80, 15, 5))[0] if shop else 1
        in_wallet = split(wallet, parts, rng)
        in_supplier = in_proportion(supplier, in_wallet)
        tax = rng.choice(catalogue.TAX_CODES) if shop and rng.random() < 0.6 else None
        lines = []
        for ours, theirs in zip(in_wallet, in_supplier, strict=True):
            our_tax = tax_within(ours, tax[1]) if tax else 0
            their_tax = (our_tax if ours == theirs else tax_within(theirs, tax[1])) if tax else 0
            lines.append(
                {
                    "accountingEntryLineId": random_uuid(rng),
                    "lineAmount": pair(currency, theirs, wallet_currency, ours),
                    "netAmount": pair(currency, theirs - their_tax, wallet_currency, ours - our_tax),
                    "account": rng.choice(self._accounts),
                    "tags": [_tag(*rng.choice(catalogue.TAGS))] if shop and rng.random() < 0.5 else [],
                    "tax": _tax(tax, pair(currency, their_tax, wallet_currency, our_tax)) if tax else None,
                }
            )
        return pair(currency, supplier, wallet_currency, wallet), lines

    def _bookkeeping(self, kind: str, *, with_vendor: bool) -> Json:
        """Give the bookkeeping method: null without vendor tagging (L70), journal for the wallet (L71)."""
        if not self._with_vendors:
            return None
        payable = with_vendor and kind not in catalogue.ALWAYS_JOURNAL
        return {"method": "accounts_payable" if payable else "journal"}

    def _files(self) -> list[Json]:
        kinds = ["pdf"] if self._rng.random() < 0.8 else ["png", "pdf"]
        return [
            {
                "url": link(random_uuid(self._rng), kind),
                "type": MEDIA_TYPES[kind],
                "size": RECEIPT_SIZES[kind],
            }
            for kind in kinds
        ]


def random_uuid(rng: Random) -> str:
    """Draw a version 4 UUID from a seeded source (several times quicker than `uuid.UUID`)."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


@cache
def _fixed_id(text: str) -> str:
    """Give the id of a thing that is the same in every job, such as an account or a person."""
    return str(uuid5(_SPACE, text))


def _account(code: str, before: str = "") -> Json:
    name = before + code.rpartition(":")[2]
    return {"id": _fixed_id("account " + code), "name": name, "code": code, "identifier": None}


def _tag(group: str, code: str) -> Json:
    return {"id": _fixed_id(f"tag {group} {code}"), "code": code, "groupCode": group}


def _tax(tax: tuple[str, float, str], amount: Json) -> Json:
    code, rate, kind = tax
    return {"id": _fixed_id("tax " + code), "code": code, "rate": rate, "type": kind, "amount": amount}


def _team(rng: Random) -> Json:
    name, code = rng.choice(catalogue.TEAMS)
    return {"id": _fixed_id("team " + name), "name": name, "code": code}


def _vendor(rng: Random) -> Json:
    name, code, country, tax_number = rng.choice(catalogue.VENDORS)
    return {
        "id": _fixed_id("vendor " + code),
        "name": name,
        "defaultCurrency": "EUR",
        "code": code,
        "externalId": None,
        "country": country,
        "registrationNumber": None,
        "taxRegistrationNumber": tax_number,
    }


def _supplier(shop: catalogue.Shop) -> Json:
    return {
        "name": shop.name,
        "country": shop.country,
        "categoryCode": shop.category,
        "code": None,
        "account": None,
        "taxIdentifier": None,
    }
