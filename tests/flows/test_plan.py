"""`pleo-export plan` as a process: it says what a run would do, and does nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("pleo-export")
ACCOUNTS = {"ACCOUNTS__OUT_OF_POCKET": "Liabilities:Employees"}
Connect = Callable[..., None]
