"""Telling Pleo that the accounting system refuses the credentials, and that this is mended (L16, U51).

Only where the connection says so (`report_health`), and only on a change: Pleo's own record is the last
known state. Whatever goes wrong in telling it changes nothing else.
"""

from __future__ import annotations

import asyncio

from prefect.logging import get_run_logger

from adapters.accounting.failures import Failure, FailureKind
from adapters.pleo.client import PleoClient
from adapters.pleo.models import InstallationStatus
from flows.session import Session

_REFUSALS = frozenset({FailureKind.CREDENTIALS_REFUSED, FailureKind.ACCESS_REVOKED})
"""Failures of authentication that last until a person acts."""

_AUTH_ERROR = "AUTH_ERROR"
_SECONDS = 10


async def tell_health(session: Session, failure: Failure | None) -> None:
    """Tell Pleo what the check of the credentials came to, if that is news.

    Args:
        session: the run's, whose checks have come at least to authentication.
        failure: what that check failed with; None if it passed. Failures that may pass are not told.

    """
    refused = failure is not None and failure.kind in _REFUSALS
    if not session.connection.report_health or (failure is not None and not refused):
        return
    logger = get_run_logger()
    try:
        async with asyncio.timeout(_SECONDS):
            told = await _tell_change(session.pleo, refused=refused)
    except Exception as error:  # noqa: BLE001 - its text could hold a secret, and health is no reason to fail
        logger.warning("Pleo could not be told how the connection stands (%s).", type(error).__name__)
        return
    if told:
        logger.info("Pleo was told that the connection is %s.", told)


async def _tell_change(pleo: PleoClient, *, refused: bool) -> InstallationStatus | None:
    """Move between usable and this error alone: any other state of an installation is not ours to end."""
    known = await pleo.get_installation()
    if refused and known.status == InstallationStatus.ACTIVATED:
        await pleo.set_health(InstallationStatus.ERROR, _AUTH_ERROR)
        return InstallationStatus.ERROR
    if not refused and (known.status, known.error_code) == (InstallationStatus.ERROR, _AUTH_ERROR):
        await pleo.set_health(InstallationStatus.ACTIVATED)
        return InstallationStatus.ACTIVATED
    return None
