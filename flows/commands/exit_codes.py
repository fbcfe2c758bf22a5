"""What `pleo-export` ends with, for shells and schedulers; the README's table is made from this."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """What the process ends with."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Keep the meaning beside the number."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    DONE = 0, "Done: ready, exported, or nothing to do."
    UNEXPECTED = 1, "Something unexpected; standard error says where."
    USAGE = 2, "A wrong option or setting; nothing was sent."
    NOT_READY = (
        3,
        "`check`: not ready. `run`: the job was failed in Pleo, with the reason. "
        "`webhook status`: Pleo does not deliver.",
    )
    PLEO_NOT_TOLD = 4, "The run failed and Pleo was not told; the next run goes on from there."
    EXPORTED_WITH_ERRORS = 5, "Exported, but some items failed; each shows its reason."
    ENDED_ELSEWHERE = 6, "The job had ended already, or is someone else's; it was left alone."
