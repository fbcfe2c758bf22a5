"""Why a request is refused: one table with the status and the sentence; and a log that no flood fills."""

from __future__ import annotations

import logging
import time
from collections import Counter
from enum import Enum

QUIET_SECONDS = 60
"""One line of the log a reason in this time, with the number of requests since the last one."""

logger = logging.getLogger("pleo_export.webhook")


class Refusal(Enum):
    """A reason, with the HTTP status and what the caller is told. Nothing of the request is repeated."""

    NO_SUCH_PATH = 404, "There is nothing at this path."
    NO_SUCH_METHOD = 405, "This path takes another method."
    UNKNOWN_COMPANY = 404, "This receiver does not serve that company."
    TOO_LARGE = 413, "The body is larger than a webhook of Pleo."
    TOO_SLOW = 408, "The body did not arrive in time."
    NO_CREDENTIALS = 401, "The Basic credentials are missing or wrong."
    UNSIGNED = (
        401,
        "The headers webhook-id, webhook-timestamp and webhook-signature are missing or malformed.",
    )
    OUT_OF_TIME = 401, "webhook-timestamp is more than five minutes away from the receiver's clock."
    FORGED = 401, "The signature does not match."
    UNREADABLE = 400, "The body is signed but not a documented event."
    OTHER_COMPANY = 403, "The event is about another company than the subscription."
    LATER = 503, "The event could not be taken for certain yet; deliver it again."
    DEFECT = 500, "The receiver met something nobody foresaw; deliver the event again."

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """What the caller is told."""
        return self.value[1]


class RefusalLog:
    """Counts refusals, and logs each reason at most once in `QUIET_SECONDS`."""

    def __init__(self) -> None:
        self.counts: Counter[Refusal] = Counter()
        self._logged: Counter[Refusal] = Counter()
        self._quiet_until: dict[Refusal, float] = {}

    def note(self, refusal: Refusal) -> None:
        """Count one request that was refused."""
        self.counts[refusal] += 1
        now = time.monotonic()
        if now < self._quiet_until.get(refusal, now):
            return
        self._quiet_until[refusal] = now + QUIET_SECONDS
        since = self.counts[refusal] - self._logged[refusal]
        self._logged[refusal] = self.counts[refusal]
        logger.warning("Refused %d request(s) with %d: %s", since, refusal.status, refusal.sentence)
