"""The state file: what survives when the sandbox is stopped, written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from .schemas import Json

FORMAT = 1
"""Raised whenever the file's form or the generator's output changes: items are kept as recipes."""


class UnusableStateFile(Exception):
    """The state file exists and cannot be taken up; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """A JSON file that holds credentials of the sandbox, so only its owner may read it."""

    path: Path

    def read(self) -> Json | None:
        """Give what was written last, None when there is no file yet.

        Raises:
            UnusableStateFile: not readable, not JSON, or written by another version.

        """
        try:
            saved = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise UnusableStateFile(f"{self.path} cannot be read: {fault.strerror}.") from fault
        except (ValueError, RecursionError) as fault:
            raise UnusableStateFile(f"{self.path} is not JSON; delete it to start afresh.") from fault
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise UnusableStateFile(f"{self.path} is of another version; delete it to start afresh.")
        if not isinstance(saved.get("world"), dict):
            raise UnusableStateFile(f"{self.path} is damaged; delete it to start afresh.")
        return saved["world"]

    def write(self, world: Json) -> None:
        """Replace the file's content in one step: a crash leaves the old content or the new."""
        text = json.dumps({"format": FORMAT, "world": world}, separators=(",", ":"))
        beside = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self.path)
