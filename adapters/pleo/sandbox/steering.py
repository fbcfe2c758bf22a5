"""Steering a sandbox from Python: the control API's verbs as methods."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from .control import Control
from .schemas import Json

_T = TypeVar("_T")


class Steering(ABC):
    """What `EmbeddedPleo` can be told to do. Bad orders raise `Refusal` with the reason."""

    @abstractmethod
    def _ask(self, act: Callable[[Control], _T]) -> _T:
        """Do something with the control and give its result."""

    def create_job(self, items: int | Sequence[Mapping[str, Json]] = 3, **order: Json) -> str:
        """Make a job and give its id.

        `items` is a number, or a list of objects whose fields replace generated ones. `order` takes every
        other field of `POST /_sandbox/jobs`, in snake_case: `missing_in_data=[2]`, `status="in_progress"`.
        """
        count: Json = items if isinstance(items, int) else [dict(each) for each in items]
        told = self._ask(lambda control: control.create_job({"items": count, **_camel(order)}))
        return str(told["id"])

    def job(self, job_id: str) -> Json:
        """Give one job: the contract's fields, and `items`, `counts` by state and `events` received."""
        return self._ask(lambda control: control.job(job_id))

    def jobs(self) -> list[Json]:
        """Give all jobs, newest first."""
        return list(self._ask(lambda control: control.jobs())["jobs"])

    def cancel_job(self, job_id: str) -> None:
        """End a job as its user would: failed, `canceled_by_user` (L28)."""
        self._ask(lambda control: control.cancel_job(job_id))

    def requests(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        operation: str | None = None,
        status: int | None = None,
    ) -> list[Json]:
        """Give the requests received, oldest first; `path` may have `*`."""
        wanted = {
            "method": method,
            "path": path,
            "operation": operation,
            "status": None if status is None else str(status),
        }
        return list(self._ask(lambda control: control.requests(wanted))["requests"])

    def clear_requests(self) -> None:
        """Forget the requests received so far."""
        self._ask(lambda control: control.clear_requests())

    def inject(self, order: Mapping[str, Json] | None = None, **fields: Json) -> int:
        """Order a fault and give its id.

        `order` has the fields of `POST /_sandbox/faults` as they are; they may be given in snake_case as
        well: `inject(kind="delay", operation="getExportJob", delay_seconds=2)`.
        """
        told = self._ask(lambda control: control.inject({**(order or {}), **_camel(fields)}))
        return int(told["id"])

    def faults(self) -> list[Json]:
        """Give the faults that were ordered, with how often each has struck."""
        return list(self._ask(lambda control: control.faults())["faults"])

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Take back one fault, or all."""
        self._ask(lambda control: control.clear_faults(fault_id))

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self._ask(lambda control: control.move_clock({"advanceSeconds": seconds}))

    def set_clock(self, now: str) -> None:
        """Make `now` (RFC 3339) the sandbox's present moment."""
        self._ask(lambda control: control.move_clock({"now": now}))

    def change_credentials(self, action: str, **order: Json) -> Json:
        """Revoke, expire, restore or issue credentials; `issue_tokens` gives the new pair."""
        return self._ask(lambda control: control.change_credentials({"action": action, **_camel(order)}))

    def deliveries(self) -> list[Json]:
        """Give the webhook deliveries, oldest first."""
        return list(self._ask(lambda control: control.deliveries())["deliveries"])

    def remove_installation(self) -> None:
        """Make `/v1/installations/me` answer 404 until it is created again."""
        self._ask(lambda control: control.remove_installation())

    def reset(self) -> None:
        """Go back to the beginning: no jobs, default credentials, real time, no faults, nothing received."""
        self._ask(lambda control: control.reset())


def _camel(fields: Mapping[str, Json]) -> dict[str, Json]:
    """Turn names such as `missing_in_data` into the control API's `missingInData`."""
    return {
        re.sub(r"_([a-z])", lambda found: found[1].upper(), name): value for name, value in fields.items()
    }
