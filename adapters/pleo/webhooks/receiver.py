"""The receiver's application: cheap refusals first, then the signature, then the event (L108).

In this order, so that bad requests cost little: path and company, size as announced, headers, timestamp,
Basic credentials; only then is the body read, up to its cap, verified over its raw bytes, and parsed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.pleo.webhooks.company import ServedCompany
from adapters.pleo.webhooks.events import UnreadableEvent, read_event
from adapters.pleo.webhooks.refusals import Refusal, RefusalLog
from adapters.pleo.webhooks.signatures import has_signature, in_time
from adapters.pleo.webhooks.starts import RunStarts, Start, Taken

MOST_BODY_BYTES = 64 * 1024
"""A delivery has less than 1 KiB; `numberOfItems` stands for the items."""

BODY_SECONDS = 5.0
ANSWER_SECONDS = 0.8
"""Time from the last byte of a body to the answer; Pleo is taken to wait 5 s (U47)."""

_AGAIN_SECONDS = "5"

logger = logging.getLogger("pleo_export.webhook")


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.name)


class Receiver:
    """Takes deliveries for some companies.

    Args:
        companies: those that are served; with a single one, `/webhook` is its path as well.
        start: starts the run of a job.

    """

    def __init__(self, companies: Sequence[ServedCompany], start: Start) -> None:
        self._companies = {company.company_id: company for company in companies}
        self._starts = RunStarts(start)
        self._refusals = RefusalLog()
        self._taken = dict.fromkeys((Taken.STARTED, Taken.REPEATED), 0)
        self._ignored = 0

    def application(self) -> Starlette:
        """Give the ASGI application."""
        routes = [
            Route("/webhook", self._deliver, methods=["POST"]),
            Route("/webhook/{company_id:uuid}", self._deliver, methods=["POST"]),
            Route("/health", self._health, methods=["GET"]),
        ]

        async def no_path(_request: Request, _error: Exception) -> Response:
            return self._refuse(Refusal.NO_SUCH_PATH)

        async def no_method(_request: Request, _error: Exception) -> Response:
            return self._refuse(Refusal.NO_SUCH_METHOD)

        app = Starlette(routes=routes, exception_handlers={404: no_path, 405: no_method})
        app.router.redirect_slashes = False
        return app

    async def _deliver(self, request: Request) -> Response:
        try:
            return await self._take(request)
        except _Refused as refused:
            return self._refuse(refused.refusal)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - its text could hold what was sent
            logger.error("Unforeseen %s while taking a delivery.", type(error).__name__)
            return self._refuse(Refusal.DEFECT)

    async def _take(self, request: Request) -> Response:
        company, headers = self._company(request), request.headers
        if _announced_size(request) > MOST_BODY_BYTES:
            raise _Refused(Refusal.TOO_LARGE)
        if not has_signature(headers):
            raise _Refused(Refusal.UNSIGNED)
        if not in_time(headers):
            raise _Refused(Refusal.OUT_OF_TIME)
        if not company.lets_in(headers):
            raise _Refused(Refusal.NO_CREDENTIALS)
        body = await _body(request)
        end = time.monotonic() + ANSWER_SECONDS
        try:
            signed = await company.signed(headers, body, end - time.monotonic())
        except TimeoutError:
            raise _Refused(Refusal.LATER) from None
        if not signed:
            raise _Refused(Refusal.FORGED)
        try:
            job = read_event(body)
        except UnreadableEvent:
            raise _Refused(Refusal.UNREADABLE) from None
        if job is None:  # taken, or Pleo would deliver it for ever
            self._ignored += 1
            return _answer(204)
        if job.company_id != company.company_id:
            raise _Refused(Refusal.OTHER_COMPANY)
        taken = await self._starts.take(company, job, max(0.0, end - time.monotonic()))
        if taken is Taken.LATER:
            raise _Refused(Refusal.LATER)
        self._taken[taken] += 1
        return _answer(204)

    def _company(self, request: Request) -> ServedCompany:
        asked: UUID | None = request.path_params.get("company_id")
        if asked is None and len(self._companies) == 1:
            return next(iter(self._companies.values()))
        company = self._companies.get(asked) if asked else None
        if company is None:
            raise _Refused(Refusal.UNKNOWN_COMPANY)
        return company

    def _refuse(self, refusal: Refusal) -> Response:
        self._refusals.note(refusal)
        answer = JSONResponse({"type": refusal.name, "message": refusal.sentence}, refusal.status)
        answer.headers["connection"] = "close"
        if refusal.status >= 500:
            answer.headers["retry-after"] = _AGAIN_SECONDS
        return answer

    async def _health(self, _request: Request) -> Response:
        """Tell that it serves, and what became of the requests so far."""
        return JSONResponse(
            {
                "status": "ok",
                "companies": len(self._companies),
                "started": self._taken[Taken.STARTED],
                "repeated": self._taken[Taken.REPEATED],
                "ignored": self._ignored,
                "refused": {refusal.name: number for refusal, number in self._refusals.counts.items()},
            },
            headers={"connection": "close"},
        )


def _announced_size(request: Request) -> int:
    """Bytes of the body as the request says, 0 if it does not; the server lets only numbers through."""
    return int(request.headers.get("content-length", "0"))


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY_BYTES:
                    raise _Refused(Refusal.TOO_LARGE)
    except TimeoutError:
        raise _Refused(Refusal.TOO_SLOW) from None
    return bytes(body)


def _answer(status: int) -> Response:
    return Response(status_code=status, headers={"connection": "close"})
