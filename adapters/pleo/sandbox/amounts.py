"""Money that adds up: integer hundredths, split without losing any."""

from __future__ import annotations

from random import Random

from .schemas import Json


def split(total: int, parts: int, rng: Random) -> list[int]:
    """Split hundredths into `parts` sums of at least 1 that add up to `total` exactly (U31)."""
    if parts <= 1 or total < parts:
        return [total]
    cuts = sorted(rng.sample(range(1, total), parts - 1))
    return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]


def in_proportion(total: int, weights: list[int]) -> list[int]:
    """Split hundredths in proportion to weights; the last part takes what rounding left."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    parts[-1] += total - sum(parts)
    return parts


def tax_within(gross: int, rate: float) -> int:
    """Give the tax contained in a gross amount, rounded to hundredths; net is what remains (U32)."""
    thousandths = round(rate * 1000)
    return (gross * thousandths + (1000 + thousandths) // 2) // (1000 + thousandths)


def pair(supplier_currency: str, supplier: int, wallet_currency: str, wallet: int) -> Json:
    """Write the same amount in both currencies, in hundredths (L61)."""
    return {
        "inSupplierCurrency": {"currency": supplier_currency, "value": supplier},
        "inWalletCurrency": {"currency": wallet_currency, "value": wallet},
    }
