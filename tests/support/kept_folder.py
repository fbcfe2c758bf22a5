"""A folder that stays between test sessions, for what takes long to make."""

from __future__ import annotations

from pathlib import Path

import pytest


def kept_folder(config: pytest.Config, factory: pytest.TempPathFactory, name: str) -> Path:
    """Give a folder in pytest's cache; where that is switched off, one of this session alone."""
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return cache.mkdir(name) if cache else factory.mktemp(name)
