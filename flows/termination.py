"""SIGTERM ends a run wherever it strikes.

Prefect raises `TerminationSignal` in whatever Python is doing at that moment. Where that is asyncio's own
code, such as a socket's `send`, asyncio takes it for a fault of the connection and reports it to the loop's
exception handler, and the run goes on (seen with Prefect 3.9.1 and Python 3.11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prefect.exceptions import TerminationSignal

_Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


@dataclass
class _Watched:
    """A loop whose exception handler is ours: the usual one, and the tasks of the runs in it."""

    usual: _Handler | None
    runs: set[asyncio.Task[Any]] = field(default_factory=set)


_loops: dict[asyncio.AbstractEventLoop, _Watched] = {}


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Cancel the block if a signal that was meant to end it came to asyncio's exception handler instead."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if loop not in _loops:
        _loops[loop] = _Watched(loop.get_exception_handler())
        loop.set_exception_handler(_handle)
    watched = _loops[loop]
    if task is None or task in watched.runs:  # a run inside a run
        yield
        return
    watched.runs.add(task)
    try:
        yield
    finally:
        watched.runs.discard(task)
        if not watched.runs:
            del _loops[loop]
            loop.set_exception_handler(watched.usual)


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    watched = _loops[loop]
    if isinstance(context.get("exception"), TerminationSignal):
        for run in watched.runs:
            run.cancel()
    elif watched.usual is None:
        loop.default_exception_handler(context)
    else:
        watched.usual(loop, context)
