"""The recipe of a job's items: a small description from which the same items can be made again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from .catalogue import USUAL_TYPES
from .refusals import InvalidRequest
from .schemas import Json

MOST_ITEMS = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a job's two layers are made from. Ordinals count from 1.

    The same recipe gives the same items, byte for byte: it is what the state file keeps of them.

    Attributes:
        items: how many entries the job has.
        seed: the generator's seed.
        currency: the wallet's currency.
        accounts: codes that the lines take in turn.
        contra_account: code of `contraAccount`; None leaves it null.
        types: weight by item type.
        entry_ids: ids of the first entries; the others get generated ones.
        overrides: by ordinal, top-level fields that replace the generated ones.
        without_account: ordinals whose first line has a null account (L64, L65).
        missing_in_data: ordinals that the control layer has and the data layer has not (L66).
        extra_in_data: number of entries that only the data layer has (L66).

    """

    items: int
    seed: int
    accounts: tuple[str, ...]
    contra_account: str | None
    currency: str = "EUR"
    types: dict[str, int] = field(default_factory=lambda: dict(USUAL_TYPES))
    entry_ids: tuple[str, ...] = ()
    overrides: dict[int, dict[str, Json]] = field(default_factory=dict)
    without_account: frozenset[int] = frozenset()
    missing_in_data: frozenset[int] = frozenset()
    extra_in_data: int = 0

    def __post_init__(self) -> None:
        if self.items < 0 or self.extra_in_data < 0 or self.items + self.extra_in_data > MOST_ITEMS:
            raise InvalidRequest(f"items and extraInData must be 0 or more, together at most {MOST_ITEMS}.")
        if _CURRENCY.fullmatch(self.currency) is None:
            raise InvalidRequest("currency must be three capital letters.")
        if not self.accounts or not self.types:
            raise InvalidRequest("accounts and types must not be empty.")
        named = [*self.overrides, *self.without_account, *self.missing_in_data]
        if beyond := [ordinal for ordinal in named if not 1 <= ordinal <= self.items]:
            raise InvalidRequest(f"There is no item number {beyond[0]}: this job has {self.items}.")

    def dump(self) -> Json:
        """Give the recipe as JSON."""
        return {
            "items": self.items,
            "seed": self.seed,
            "accounts": list(self.accounts),
            "contraAccount": self.contra_account,
            "currency": self.currency,
            "types": self.types,
            "entryIds": list(self.entry_ids),
            "overrides": {str(ordinal): fields for ordinal, fields in self.overrides.items()},
            "withoutAccount": sorted(self.without_account),
            "missingInData": sorted(self.missing_in_data),
            "extraInData": self.extra_in_data,
        }

    @classmethod
    def load(cls, saved: Json) -> Self:
        """Take up what `dump` gave."""
        return cls(
            items=saved["items"],
            seed=saved["seed"],
            accounts=tuple(saved["accounts"]),
            contra_account=saved["contraAccount"],
            currency=saved["currency"],
            types=dict(saved["types"]),
            entry_ids=tuple(saved["entryIds"]),
            overrides={int(ordinal): fields for ordinal, fields in saved["overrides"].items()},
            without_account=frozenset(saved["withoutAccount"]),
            missing_in_data=frozenset(saved["missingInData"]),
            extra_in_data=saved["extraInData"],
        )
