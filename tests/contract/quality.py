"""Reads an adapter's `quality.yaml`: each rule is done, or exempt with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import yaml

from adapters.accounting.registry import registered
from tests.contract.scenarios import GENERAL_RULES, SCENARIOS

RULES = (*SCENARIOS, *GENERAL_RULES)


@dataclass(frozen=True)
class Quality:
    """What an adapter says of itself.

    Attributes:
        done: rules that it keeps.
        exempt: rules that do not apply to its system, with the reason.

    """

    done: frozenset[str]
    exempt: Mapping[str, str]


def quality_file(adapter: str) -> Path:
    """Path of an adapter's quality.yaml: beside its module."""
    spec = find_spec(registered()[adapter].__module__)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("quality.yaml")


def quality_of(adapter: str) -> Quality:
    """Read an adapter's quality.yaml."""
    rules = yaml.safe_load(quality_file(adapter).read_text(encoding="utf-8"))["rules"]
    return Quality(
        frozenset(rule for rule, said in rules.items() if said == "done"),
        {rule: said["exempt"] for rule, said in rules.items() if said != "done"},
    )
