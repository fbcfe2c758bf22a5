"""Proves that the user may create entries with everything that belongs to them, without creating one.

Tryton keeps rights for models (ir.model.access) and for fields (ir.model.field.access); both are asked
for the user of the key. Its third kind, rules about single records (ir.rule), can only be met by
creating a record; Tryton's own rule, that the record's company is one that the user books in, is proved
by `company`, and rules that a company adds for itself are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from adapters.accounting.contract import CheckFailed
from adapters.accounting.failures import FailureKind
from adapters.accounting.tryton.client import Rights, TrytonClient

_NEEDED: Mapping[str, tuple[str, ...]] = {
    # Attaching a file counts as writing on the entry that it belongs to.
    "account.move": ("read", "create", "write"),
    "account.move.line": ("read", "create"),
    "ir.attachment": ("read", "create"),  # read: not to attach a file twice
    "account.account": ("read",),
    "account.journal": ("read",),
    "account.period": ("read",),
}

_WRITTEN: Mapping[str, tuple[str, ...]] = {
    "account.move": ("company", "journal", "period", "date", "description", "lines"),
    "account.move.line": ("account", "debit", "credit", "description"),
}


async def prove_rights(client: TrytonClient) -> None:
    """Prove that the user has every right that booking needs.

    Raises:
        HttpFault, TrytonRefusal: see `TrytonClient`.
        CheckFailed: `CREATION_NOT_ALLOWED`, with the missing rights as evidence.

    """
    missing = list(_missing(await client.rights(list(_NEEDED))))
    _refuse(missing)
    for model, names in _WRITTEN.items():
        fields = await client.fields(model, names)
        _refuse(f"write {model}.{name}" for name in names if name not in fields or fields[name].readonly)


def _missing(granted: Mapping[str, Rights]) -> Iterator[str]:
    for model, modes in _NEEDED.items():
        rights = granted.get(model)
        yield from (f"{mode} {model}" for mode in modes if rights is None or not getattr(rights, mode))


def _refuse(missing: Iterable[str]) -> None:
    if missing := list(missing):
        evidence = f"no right to {', '.join(missing)}"
        raise CheckFailed(FailureKind.CREATION_NOT_ALLOWED, evidence=evidence)
