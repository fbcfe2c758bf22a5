"""The last line of a command's output: one JSON object."""

from __future__ import annotations

import sys

from pydantic import BaseModel


def print_json(record: BaseModel) -> None:
    """Print one JSON object on one line of stdout, so that a program finds it at the end."""
    sys.stdout.write(record.model_dump_json() + "\n")
    sys.stdout.flush()
