"""The world of one sandbox: everything it knows, and what of it survives a restart."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import uuid4

from . import defaults
from .clock import SandboxClock
from .credentials import Credentials
from .faults import Faults
from .installation import Installation
from .jobs import ExportJob
from .received import ReceivedRequests
from .recipe import Recipe
from .refusals import Refusal, export_already_running, no_such_job
from .schemas import Json
from .settings import SandboxSettings
from .state_file import StateFile, UnusableStateFile
from .subscriptions import Subscriptions
from .webhooks import Deliveries

_CREATOR = "1d9a2b77-54f2-4a5e-9f4b-0a7f3f1f2c33"


@dataclass(slots=True)
class NewJob:
    """How a job is to be made, beyond its items."""

    company_id: str
    vendor_based: bool = False
    interactive: bool = True
    created_by: str | None = _CREATOR
    age_seconds: float = 0.0
    allow_second: bool = False


@dataclass(slots=True)
class World:
    """All state of one sandbox. Used from one thread, the server's; nothing here waits.

    Attributes:
        changed: something that the state file holds has changed since it was written.
        link_key: signs file links.
        state_file: where the state is kept, None for memory only.

    """

    settings: SandboxSettings
    state_file: StateFile | None = None
    clock: SandboxClock = field(default_factory=SandboxClock)
    changed: bool = False
    jobs: dict[str, ExportJob] = field(init=False)
    unfinished: dict[str, ExportJob] = field(init=False)
    companies: set[str] = field(init=False)
    credentials: Credentials = field(init=False)
    subscriptions: Subscriptions = field(init=False)
    installation: Installation | None = field(init=False)
    received: ReceivedRequests = field(default_factory=ReceivedRequests)
    faults: Faults = field(default_factory=Faults)
    deliveries: Deliveries = field(init=False)
    link_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        self.deliveries = Deliveries(
            self.settings.delivery_deadline_seconds, self.settings.delivery_pauses_seconds
        )
        self._begin()
        if self.state_file is not None:
            self._take_up(self.state_file)

    def _begin(self) -> None:
        self.jobs, self.unfinished = {}, {}
        self.companies = {defaults.COMPANY_ID}
        self.credentials = Credentials()
        self.subscriptions = Subscriptions(defaults.COMPANY_ID)
        now = self.clock.now()
        self.installation = Installation(defaults.COMPANY_ID, now, now)

    def _take_up(self, state_file: StateFile) -> None:
        """Go on from what the file holds, or write it: a file that cannot be written shows now, not later."""
        saved = state_file.read()
        try:
            if saved is None:
                state_file.write(self._dump())
            else:
                self._load(saved)
        except OSError as fault:
            raise UnusableStateFile(f"{state_file.path} cannot be written: {fault.strerror}.") from fault
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, Refusal) as fault:
            raise UnusableStateFile(f"{state_file.path} is damaged; delete it to start afresh.") from fault

    def reset(self) -> None:
        """Go back to the beginning: no jobs, default credentials, real time, no faults, nothing received."""
        self.clock.offset = 0.0
        self._begin()
        self.received.clear()
        self.faults.clear()
        self.deliveries.clear()
        self.changed = True

    def settle(self) -> float:
        """Let every job expire whose hour has passed (L24) and give the present moment."""
        now = self.clock.now()
        for job in list(self.unfinished.values()):
            if job.settle(now):
                self.job_changed(job)
        return now

    def job(self, job_id: str) -> ExportJob:
        """Give a job as it stands now.

        Raises:
            Refusal: 404, there is none with this id.

        """
        self.settle()
        job = self.jobs.get(job_id.lower())
        if job is None:
            raise no_such_job()
        return job

    def newest_first(self) -> list[ExportJob]:
        """Give all jobs, newest first."""
        self.settle()
        return list(reversed(self.jobs.values()))

    def create_job(self, new: NewJob, recipe: Recipe) -> ExportJob:
        """Make a job in state pending (L19); `announce` tells the subscriptions.

        Raises:
            Refusal: 409, the company has an unfinished job (L23).

        """
        now = self.settle()
        if not new.allow_second and any(job.company_id == new.company_id for job in self.unfinished.values()):
            raise export_already_running()
        job = ExportJob(
            id=str(uuid4()),
            number=len(self.jobs) + 1,
            company_id=new.company_id,
            recipe=recipe,
            created_at=now - new.age_seconds,
            lifetime=self.settings.job_lifetime_seconds,
            vendor_based=new.vendor_based,
            interactive=new.interactive,
            created_by=new.created_by,
        )
        self.jobs[job.id] = self.unfinished[job.id] = job
        self.companies.add(job.company_id)
        self.changed = True
        return job

    def announce(self, job: ExportJob) -> None:
        """Send `v1.export-job.created` to the active subscriptions, in the background (L103, L104)."""
        snapshot = job.describe()
        for name in ("isInteractive", "vendorBasedBookkeeping"):
            del snapshot[name]  # the documented example leaves these and every null out
        data = {name: value for name, value in snapshot.items() if value is not None}
        self.deliveries.send("v1.export-job.created", data, self.subscriptions)

    def job_changed(self, job: ExportJob) -> None:
        """Note that a job has changed, and whether it has ended."""
        self.changed = True
        if not job.unfinished:
            self.unfinished.pop(job.id, None)

    def persist(self) -> None:
        """Write the state file if there is one and anything changed; done before the caller is answered."""
        if self.changed and self.state_file is not None:
            self.state_file.write(self._dump())
        self.changed = False

    def _dump(self) -> Json:
        return {
            "clockOffset": self.clock.offset,
            "linkKey": self.link_key.hex(),
            "companies": sorted(self.companies),
            "credentials": self.credentials.dump(),
            "installation": self.installation.dump() if self.installation else None,
            "subscriptions": self.subscriptions.dump(),
            "jobs": [job.dump() for job in self.jobs.values()],
        }

    def _load(self, saved: Json) -> None:
        self.clock.offset = saved["clockOffset"]
        self.link_key = bytes.fromhex(saved["linkKey"])
        self.companies = set(saved["companies"])
        self.credentials = Credentials.load(saved["credentials"])
        self.installation = Installation.load(saved["installation"]) if saved["installation"] else None
        self.subscriptions = Subscriptions.load(saved["subscriptions"], defaults.COMPANY_ID)
        self.jobs = {each["id"]: ExportJob.load(each) for each in saved["jobs"]}
        self.unfinished = {job.id: job for job in self.jobs.values() if job.unfinished}
