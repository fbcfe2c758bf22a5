"""Exceptions that nobody foresaw: named in logs and states, never quoted.

Prefect stores the text of an exception that leaves a task or a flow, and such a text can hold a secret.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from prefect.logging import get_run_logger

from flows.defects import frames_of

P = ParamSpec("P")
T = TypeVar("T")


class Unforeseen(Exception):
    """A step ended with an exception that nobody foresaw; the text is the name of its type, no more."""


def without_text(
    *foreseen: type[Exception],
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Make a step raise `Unforeseen` for any exception but the foreseen ones; log where it came from."""

    def wrap(step: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(step)
        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await step(*args, **kwargs)
            except foreseen:
                raise
            except Exception as error:  # noqa: BLE001 - see the module's docstring
                log_unforeseen(error)
                name = type(error).__name__
            raise Unforeseen(name)  # outside of the handler: the exception is not even its context

        return run

    return wrap


def log_unforeseen(error: Exception) -> None:
    """Log where an exception came from, without its text; a step's was logged as it ended the step."""
    if isinstance(error, Unforeseen):
        return
    get_run_logger().error("Unforeseen %s at:\n%s", type(error).__name__, frames_of(error))


def name_of(error: BaseException) -> str:
    """Name the type of the exception that was not foreseen."""
    return str(error) if isinstance(error, Unforeseen) else type(error).__name__
