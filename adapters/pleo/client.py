"""The client of Pleo's Export API v3: typed calls under a deadline, repeated only where that is safe."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from adapters.faults import Fault, HttpFault
from adapters.http import Answer, HttpClient
from adapters.pleo import models
from adapters.pleo.auth import Credentials, credentials_for
from adapters.pleo.errors import RefusedByPleo, pleo_error
from adapters.pleo.export_items import (
    EXPORT_ITEM_PAGE,
    EXPORT_ITEM_PAGE_LENIENT,
    ExportItem,
    UnreadableItem,
)
from adapters.pleo.models import (
    ExportJob,
    ExportJobItem,
    Installation,
    InstallationStatus,
    ItemUpdate,
    JobEvent,
    JobStatus,
    Page,
    Pagination,
    UpdateResult,
)
from adapters.pleo.paging import PAGE_SIZE, Size, all_pages
from adapters.pleo.settings import PleoSettings
from adapters.retry import RetryPolicy, attempts

T = TypeVar("T")

MAX_UPDATES = 100
"""Item outcomes in one report (L87)."""

_EVENT_ACCEPTED = 202


class PleoClient:
    """Calls Pleo for one company.

    Reads are repeated after transient faults, within `policy`. Writes are sent once here; whoever sends
    them decides after a lost answer by reading the state again (`adapters.pleo.events`, L40, L99).

    Args:
        settings: address, credentials and deadlines.
        company_id: the company that lists are restricted to (L15, U19).
        policy: how calls are repeated; by default for as long as the settings say.

    """

    def __init__(
        self, settings: PleoSettings, company_id: UUID, *, policy: RetryPolicy | None = None
    ) -> None:
        self.company_id = company_id
        self.policy = policy or RetryPolicy(budget=settings.retry_seconds)
        self._http = HttpClient(settings.base_url, deadline=settings.call_deadline_seconds)
        self._credentials: Credentials = credentials_for(settings, self.policy)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def list_jobs(self, statuses: Sequence[JobStatus]) -> list[ExportJob]:
        """Read all jobs of the company in the given states (L33, L34); the order is Pleo's.

        Raises:
            PleoError: as for every call here; see `adapters.pleo.errors`.

        """
        params: dict[str, str | list[str]] = {
            "company_id": str(self.company_id),
            "statuses": [status.value for status in statuses],
        }
        pages = self._pages("/v3/export-jobs", params, models.EXPORT_JOB_PAGE)
        return [job async for page in pages for job in page if job.company_id == self.company_id]

    async def get_job(self, job_id: UUID) -> ExportJob:
        """Read one job (L49)."""
        return (await self._read(f"/v3/export-jobs/{job_id}", {}, models.EXPORT_JOB)).data

    async def list_job_items(self, job_id: UUID) -> list[ExportJobItem]:
        """Read all pages of the control layer (L51)."""
        path = f"/v3/export-jobs/{job_id}/items"
        return [item async for page in self._pages(path, {}, models.EXPORT_JOB_ITEM_PAGE) for item in page]

    async def list_export_items(self, job_id: UUID) -> list[ExportItem | UnreadableItem]:
        """Read all pages of the data layer (L58); an entry of another form stands in as `UnreadableItem`."""
        params: dict[str, str | list[str]] = {"job_id": str(job_id)}
        pages = self._pages("/v3/export-items", params, EXPORT_ITEM_PAGE, EXPORT_ITEM_PAGE_LENIENT)
        return [item async for page in pages for item in page]

    async def post_event(
        self,
        job_id: UUID,
        event: JobEvent,
        *,
        failure_type: str | None = None,
        failure_text: str | None = None,
    ) -> None:
        """Send one event once (L18, L47). Most callers want `adapters.pleo.events.send_event`.

        Raises:
            HttpFault: no 202; `may_have_arrived` says whether the job has to be read again.

        """
        body = {"jobId": str(job_id), "event": event.value}
        if failure_type and failure_text:
            body |= {"failureReasonType": failure_type, "failureReason": failure_text}
        answer = await self._send("POST", "/v3/export-job-events", json=body)
        if answer.status != _EVENT_ACCEPTED:
            raise HttpFault(Fault.WRONG_SHAPE, status=answer.status)

    async def update_items(self, job_id: UUID, updates: Sequence[ItemUpdate]) -> UpdateResult:
        """Report the outcome of at most 100 items once (L87, L91).

        Raises:
            ValueError: none or more than 100 updates.
            HttpFault: `may_have_arrived` says whether the items have to be listed again.

        """
        if not 1 <= len(updates) <= MAX_UPDATES:
            raise ValueError(f"1 to {MAX_UPDATES} updates fit into one request, not {len(updates)}")
        answer = await self._send(
            "PUT", f"/v3/export-jobs/{job_id}/items", json=[update.to_wire() for update in updates]
        )
        return answer.parse(models.UPDATE_RESULT)

    async def create_job(
        self, entry_ids: Sequence[UUID], *, vendor_based_bookkeeping: bool = False
    ) -> ExportJob:
        """Create a job for the given entries once (L19, L23).

        Raises:
            HttpFault: `may_have_arrived` says whether the jobs have to be listed again.

        """
        body = {
            "companyId": str(self.company_id),
            "accountingEntryIds": [str(entry_id) for entry_id in entry_ids],
            "isInteractive": False,
            "options": {"vendorBasedBookkeeping": vendor_based_bookkeeping},
        }
        return (await self._send("POST", "/v3/export-jobs", json=body)).parse(models.EXPORT_JOB).data

    async def get_installation(self) -> Installation:
        """Read whom the credentials belong to (L13)."""
        return await self._read("/v1/installations/me", {}, models.INSTALLATION)

    async def set_health(self, status: InstallationStatus, error_code: str | None = None) -> None:
        """Tell Pleo how the connection stands (L16).

        Raises:
            HttpFault: not a success.

        """
        body = {"status": status.value, **({"errorCode": error_code} if error_code else {})}
        await self._send("PUT", "/v1/installations/me", json=body)

    async def _pages(
        self,
        path: str,
        params: Mapping[str, str | list[str]],
        shape: TypeAdapter[Page[Any]],
        lenient: TypeAdapter[Page[Any]] | None = None,
    ) -> AsyncIterator[list[Any]]:
        size = Size()

        async def fetch(cursor: str | None) -> Page[Any]:
            query = {**params, "limit": str(PAGE_SIZE), **({"after": cursor} if cursor else {})}
            nothing: Any = Page([], Pagination(False))
            return await self._read(path, query, shape, lenient, if_empty=nothing, measure=size.add)

        async for records in all_pages(fetch):
            yield records

    async def _read(
        self,
        path: str,
        params: Mapping[str, str | list[str]],
        shape: TypeAdapter[T],
        lenient: TypeAdapter[T] | None = None,
        *,
        if_empty: T | None = None,
        measure: Callable[[int], None] = lambda _: None,
    ) -> T:
        """Send one GET, repeated within the policy, and parse its answer; no body may mean none (C15)."""
        try:
            async for attempt in attempts(self.policy):
                with attempt:
                    answer = await self._send("GET", path, params=params)
                    measure(len(answer.body))
                    if if_empty is not None and not answer.body:
                        return if_empty
                    try:
                        return answer.parse(shape)
                    except HttpFault:
                        if lenient is None:
                            raise
                    return answer.parse(lenient)
        except HttpFault as fault:
            raise pleo_error(fault) from None
        raise AssertionError("attempts end with an answer or a fault")

    async def _send(
        self, method: str, path: str, *, params: Mapping[str, str | list[str]] | None = None, json: Any = None
    ) -> Answer:
        """Send one request; after a 401, once more with renewed credentials (L113).

        Raises:
            HttpFault: no answer, or `RefusedByPleo` for an answer that is not a success.
            PleoError: the credentials could not be renewed.

        """
        header = await self._credentials.header()
        answer = await self._http.request(
            method, path, params=params, json=json, headers={"authorization": header}
        )
        if answer.status == 401 and await self._credentials.renewed(header):
            header = await self._credentials.header()
            answer = await self._http.request(
                method, path, params=params, json=json, headers={"authorization": header}
            )
        if not 200 <= answer.status < 300:
            raise RefusedByPleo(answer)
        return answer
