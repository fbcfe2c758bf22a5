"""Where `pleo-export` begins: the commands are imported with the garbage collector off.

Nothing that an import makes is garbage; looking for some costs a tenth of the start-up.
"""

from __future__ import annotations

import gc


def main() -> None:
    """Import the commands, then run the command line."""
    gc.disable()
    from flows.cli import main as run

    gc.freeze()
    gc.enable()
    run()
