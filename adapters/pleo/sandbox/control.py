"""Control over a sandbox: what a test or a person may do that no client of Pleo can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import defaults
from .clock import EARLIEST, LATEST, as_text, from_text
from .contract import Contract
from .jobs import ExportJob
from .layers import FINAL, UNFINISHED, ItemState
from .orders import (
    FAULT_FIELDS,
    JOB_FIELDS,
    read_fault,
    read_item_statuses,
    read_new_job,
    read_order,
    read_recipe,
)
from .received import FILTERS
from .refusals import InvalidRequest
from .schemas import Json
from .world import World

_LONGEST_TOKEN_SECONDS: Final = 10 * 366 * 24 * 3600
CREDENTIAL_ACTIONS: Final = (
    "revoke_api_key",
    "restore_api_key",
    "revoke_access_tokens",
    "revoke_refresh_tokens",
    "expire_access_tokens",
    "issue_tokens",
)


class Control:
    """Everything the control API does, as plain functions from JSON to JSON.

    Used from the server's thread only. What changes anything writes the state file before it returns.
    """

    def __init__(self, world: World, contract: Contract) -> None:
        self._world = world
        self._contract = contract

    def health(self) -> Json:
        """Tell that the sandbox is up, its time, and how many jobs it has."""
        return {"status": "ok", "now": as_text(self._world.clock.now()), "jobs": len(self._world.jobs)}

    def create_job(self, order: Json) -> Json:
        """Make a job; see `docs/sandbox.md` for the fields.

        Raises:
            InvalidRequest: an unknown field or a bad value.
            Refusal: 409, the company has an unfinished job and `allowSecond` is not set (L23).

        """
        order = read_order(order, JOB_FIELDS)
        world = self._world
        recipe = read_recipe(
            order, world.settings, next_seed=len(world.jobs) + 1, types=self._contract.item_types
        )
        statuses = read_item_statuses(order)
        status = order.get("status", "pending")
        if status not in {"pending", "in_progress", "failed", "completed", "completed_with_errors"}:
            raise InvalidRequest(f"There is no job status {status!r}.")
        if any(each not in (*UNFINISHED, *FINAL) for each in statuses.values()):
            raise InvalidRequest("itemStatuses has an unknown status.")
        if any(not 1 <= ordinal <= recipe.items for ordinal in statuses):
            raise InvalidRequest("itemStatuses names an item that the job has not.")
        job = world.create_job(read_new_job(order), recipe)
        for ordinal, wanted in statuses.items():
            job.control.put(ordinal - 1, ItemState(status=wanted))
        if status == "pending":
            world.announce(job)
        else:
            self._bring_to(job, status)
        world.persist()
        return job.describe()

    def jobs(self) -> Json:
        """List all jobs, newest first, with the number of items by state."""
        return {
            "jobs": [{**job.describe(), "counts": job.control.counts()} for job in self._world.newest_first()]
        }

    def job(self, job_id: str) -> Json:
        """Read one job with all its items, the number of items by state, and the events received."""
        job = self._world.job(job_id)
        items = [job.control.describe(position) for position in job.control.positions()]
        return {**job.describe(), "counts": job.control.counts(), "events": job.events, "items": items}

    def cancel_job(self, job_id: str) -> Json:
        """End a job as its user would (L28)."""
        job = self._world.job(job_id)
        job.cancel(self._world.clock.now())
        self._world.job_changed(job)
        self._world.persist()
        return job.describe()

    def requests(self, wanted: Mapping[str, str | None]) -> Json:
        """List the requests received, oldest first, filtered by method, path (glob), operation, status.

        Raises:
            InvalidRequest: an unknown filter or operation; the empty list would seem to say "no request".

        """
        read_order(dict(wanted), dict.fromkeys(FILTERS, (str, type(None))))
        self._check_operation(wanted.get("operation"))
        return {
            "requests": [each.describe() for each in self._world.received.records if each.matches(wanted)]
        }

    def clear_requests(self) -> Json:
        """Forget the requests received so far."""
        self._world.received.clear()
        return {}

    def inject(self, order: Json) -> Json:
        """Order a fault; see `docs/sandbox.md` for the fields."""
        order = read_order(order, FAULT_FIELDS)
        fault = read_fault(order, self._world.faults.next_id())
        self._check_operation(fault.operation)
        self._world.faults.add(fault)
        return fault.describe()

    def faults(self) -> Json:
        """List the faults that were ordered, with how often each has struck."""
        return {"faults": [fault.describe() for fault in self._world.faults.ordered.values()]}

    def clear_faults(self, fault_id: int | None = None) -> Json:
        """Take back one fault, or all."""
        if fault_id is None:
            self._world.faults.clear()
        else:
            self._world.faults.remove(fault_id)
        return {}

    def clock(self) -> Json:
        """Tell the sandbox's time."""
        return {"now": as_text(self._world.clock.now()), "offsetSeconds": self._world.clock.offset}

    def move_clock(self, order: Json) -> Json:
        """Advance the clock by `advanceSeconds`, or make it `now` (RFC 3339)."""
        order = read_order(order, {"advanceSeconds": (int, float), "now": str})
        if len(order) != 1:
            raise InvalidRequest("Give either advanceSeconds or now.")
        clock = self._world.clock
        try:
            moment = from_text(order["now"]) if "now" in order else clock.now() + order["advanceSeconds"]
        except (ValueError, OverflowError) as fault:
            raise InvalidRequest("That is not a moment with a time zone.") from fault
        if not EARLIEST <= moment < LATEST:
            raise InvalidRequest("The clock goes from the year 2000 to the year 2999.")
        if "now" in order:
            clock.set(moment)
        else:
            clock.advance(order["advanceSeconds"])
        self._world.settle()
        self._world.changed = True
        self._world.persist()
        return self.clock()

    def change_credentials(self, order: Json) -> Json:
        """Revoke, expire, restore or issue credentials: `action` is one of those in `docs/sandbox.md`."""
        order = read_order(order, {"action": str, "expiresInSeconds": int})
        world, action = self._world, order.get("action")
        credentials, told = world.credentials, {}
        if action == "revoke_api_key":
            credentials.api_keys.clear()
        elif action == "restore_api_key":
            credentials.api_keys.add(defaults.API_KEY)
        elif action == "revoke_access_tokens":
            credentials.revoke_access_tokens()
        elif action == "revoke_refresh_tokens":
            credentials.revoke_refresh_tokens()
        elif action == "expire_access_tokens":
            for grant in credentials.grants:
                grant.expires_at = world.clock.now()
        elif action == "issue_tokens":
            lifetime = order.get("expiresInSeconds", world.settings.token_lifetime_seconds)
            if not 0 <= lifetime <= _LONGEST_TOKEN_SECONDS:
                raise InvalidRequest("expiresInSeconds must be between 0 and ten years.")
            grant = credentials.issue(world.clock.now(), lifetime, world.settings.refresh_lifetime_seconds)
            told = {
                "accessToken": grant.access_token,
                "refreshToken": grant.refresh_token,
                "expiresIn": lifetime,
            }
        else:
            raise InvalidRequest(f"action must be one of {', '.join(CREDENTIAL_ACTIONS)}.")
        world.changed = True
        world.persist()
        return told

    def deliveries(self) -> Json:
        """List the webhook deliveries, oldest first, with every attempt."""
        return {"deliveries": [delivery.describe() for delivery in self._world.deliveries.recorded]}

    def remove_installation(self) -> Json:
        """Make the company one that has not installed the integration: `/v1/installations/me` is 404."""
        self._world.installation = None
        self._world.changed = True
        self._world.persist()
        return {}

    def reset(self) -> Json:
        """Go back to the beginning."""
        self._world.reset()
        self._world.persist()
        return self.health()

    def _check_operation(self, name: str | None) -> None:
        if name and all(name != each.name for each in self._contract.operations):
            raise InvalidRequest(f"There is no operation {name!r}.")

    def _bring_to(self, job: ExportJob, status: str) -> None:
        """Bring a new job to a state by the events that lead there; items left take the matching state."""
        now = job.created_at
        job.receive({"event": "started"}, now)
        if status in {"completed", "completed_with_errors"}:
            for position in list(job.control.positions("pending")):
                job.control.put(position, ItemState(status="successful"))
            job.receive({"event": status}, now)
        elif status == "failed":
            reason = {"failureReasonType": "validation_failure", "failureReason": "Created as failed."}
            job.receive({"event": "failed", **reason}, now)
        self._world.job_changed(job)
