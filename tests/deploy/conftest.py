"""What a cluster on one machine needs of the system."""

from __future__ import annotations

import os
import shutil

import pytest

PROGRAMS = ("redis-server", "haproxy")


@pytest.fixture
def programs() -> None:
    """Leave the test out where they are missing; in CI that is a failure."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        why = f"not on this machine: apt-get install {' '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
