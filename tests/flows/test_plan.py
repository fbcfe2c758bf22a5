"""`pleo-export plan` as a process: it says what a run would do, and does nothing itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.local_services import free_port
from tests.flows.exports import BOOKS, make_job
from tests.support.fava_server import FavaServer
from tests.support.kept_folder import KeptFolder

PROGRAM = Path(sys.executable).with_name("pleo-export")
ACCOUNTS = {"ACCOUNTS__OUT_OF_POCKET": "Liabilities:Employees"}
Connect = Callable[..., None]
