"""What is kept of an exception that nobody foresaw: where it came from, never its text."""

from __future__ import annotations

import logging
import traceback

logger = logging.getLogger(__name__)


def frames_of(error: BaseException) -> str:
    """Give the places in the code that an exception came through, without its text."""
    return "".join(traceback.format_tb(error.__traceback__))


def log_defect(doing: str, error: Exception) -> None:
    """Log where an exception came from, without its text, which could hold a secret."""
    logger.error("%s ended with an unforeseen %s at:\n%s", doing, type(error).__name__, frames_of(error))
