"""The API: from a raw request to an answer within the contract.

Order of judgement: path (404), method (405), credential (401), size (413), contract (400),
then the operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from . import connection_api, exports_api
from .call import Answer, Call, error_answer, read_json
from .contract import Contract, Operation
from .credentials import unauthorized
from .refusals import InvalidRequest, Refusal, no_such_job, no_such_record
from .schemas import Json, is_uuid
from .world import World

Handler = Callable[[World, Call], Answer]

HANDLERS: Final[dict[str, Handler]] = {
    "listExportJobs": exports_api.list_export_jobs,
    "createExportJob": exports_api.create_export_job,
    "getExportJob": exports_api.get_export_job,
    "listExportJobItems": exports_api.list_export_job_items,
    "updateExportJobItems": exports_api.update_export_job_items,
    "listExportItems": exports_api.list_export_items,
    "createExportJobEvent": exports_api.create_export_job_event,
    "getExportJobItemByEntry": exports_api.get_export_job_item_by_entry,
    "searchExportJobItems": exports_api.search_export_job_items,
    "listSubscriptions": connection_api.list_subscriptions,
    "createSubscription": connection_api.create_subscription,
    "getSubscription": connection_api.get_subscription,
    "updateSubscription": connection_api.update_subscription,
    "deleteSubscription": connection_api.delete_subscription,
    "getSubscriptionSecret": connection_api.get_subscription_secret,
    "listSubscriptionActivities": connection_api.list_subscription_activities,
    "getMyInstallation": connection_api.get_my_installation,
    "createMyInstallation": connection_api.create_my_installation,
    "updateMyInstallation": connection_api.update_my_installation,
    "activateMyInstallation": connection_api.activate_my_installation,
}
"""What answers each operation of the contract; a test holds the two lists against each other."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it came in. `credential` is the kind of credential accepted, None when none was."""

    method: str
    path: str
    query: bytes
    body: bytes
    content_type: str | None
    credential: str | None
    origin: str


class PleoApi:
    """Answers requests from the state of one world."""

    def __init__(self, world: World, contract: Contract) -> None:
        self._world = world
        self._contract = contract

    def operation_name(self, method: str, path: str) -> str | None:
        """Give the `operationId` that a request is for, None when there is none."""
        found = self._contract.find(method, path)
        return found[0].name if isinstance(found, tuple) else None

    def answer(self, request: RawRequest) -> Answer:
        """Answer one request. Never raises: what cannot be answered well is a `Refusal` (L111)."""
        found = self._contract.find(request.method, request.path)
        if isinstance(found, list):
            return _not_an_operation(found)
        operation, path = found
        try:
            return self._judge(operation, path, request)
        except Refusal as refusal:
            if isinstance(refusal, InvalidRequest) and 400 not in operation.statuses:
                # Where the contract lists no 400 it lists 404: answer as if nothing had been found.
                refusal = _not_found(operation)
            return error_answer(refusal.status, refusal.kind, refusal.message, refusal.headers)

    def _judge(self, operation: Operation, path: dict[str, str], request: RawRequest) -> Answer:
        if request.credential is None:
            raise unauthorized()
        if not all(is_uuid(part) for part in path.values()):
            raise _not_found(operation)
        given: dict[str, list[str]] = {}
        for name, text in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
            given.setdefault(name, []).append(text)
        query = operation.read_query(given)
        body = self._read_body(operation, request)
        call = Call(operation, path, given, query, body, request.origin, self._world.settle())
        return HANDLERS[operation.name](self._world, call)

    def _read_body(self, operation: Operation, request: RawRequest) -> Json:
        if operation.body is None:
            return None
        body = read_json(request.body, request.content_type)
        most = operation.most_items
        if most is not None and isinstance(body, list) and len(body) > most:
            raise Refusal(
                413, "EXPORT_JOB_ITEMS_UPDATE_LIMIT", f"At most {most} items can be updated at once."
            )
        operation.check_body(body)
        return body


def safe_host(host: str, fallback: str) -> str:
    """Give a Host header that may be put into links, else the fallback."""
    return host if re.fullmatch(r"[A-Za-z0-9.\-:\[\]]+", host) else fallback


def _not_found(operation: Operation) -> Refusal:
    return no_such_job() if "jobId" in operation.template else no_such_record()


def _not_an_operation(allowed: list[str]) -> Answer:
    if not allowed:
        return error_answer(404, "NOT_FOUND", "There is nothing at this path.")
    return error_answer(
        405,
        "METHOD_NOT_ALLOWED",
        "This path does not take this method.",
        {"Allow": ", ".join(sorted(allowed))},
    )
