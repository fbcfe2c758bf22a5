"""A process that takes a company's lock and says how that went; its arguments are company and seconds."""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

from flows.one_at_a_time import LockLost, LockNotHad, one_at_a_time


async def main(company: UUID, seconds: float) -> None:
    try:
        async with one_at_a_time(company) as alone:
            say("held" if alone else "busy")
            if alone:
                await asyncio.sleep(seconds)
    except LockNotHad as error:
        sys.stderr.write(f"not had: {error}\n")
        say("not had")
    except LockLost:
        say("lost")
    else:
        say("left")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1]), float(sys.argv[2])))
