"""What ends a command with a sentence for the person at the terminal, beside a wrong setting."""

from __future__ import annotations


class ServiceError(Exception):
    """A local server or program is missing, did not come up, or did not end; the text says which."""
