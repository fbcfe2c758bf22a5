"""What is kept of an exception that nobody foresaw: where it came from, never its text."""

from __future__ import annotations

import logging
import traceback

logger = logging.getLogger(__name__)


def log_defect(doing: str, error: Exception) -> None:
    """Log where an exception came from, without its text, which could hold a secret."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s ended with an unforeseen %s at:\n%s", doing, type(error).__name__, frames)
