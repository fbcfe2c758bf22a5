"""A receiver on loopback whose runs are a list that a test reads, and can hold up or make fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from adapters.pleo.webhooks.company import Renewal, ServedCompany
from adapters.pleo.webhooks.events import CreatedJob
from adapters.pleo.webhooks.receiver import Receiver
from adapters.pleo.webhooks.server import listen, serve
from tests.support.deliveries import COMPANY, SECRET, SENDER


class NoRuns(Exception):
    """What the place where runs are started raises when it is told to fail."""


async def no_renewal() -> Sequence[str]:
    return []


def company(
    company_id: str = COMPANY,
    secrets: Sequence[str] = (SECRET,),
    basic: str | None = None,
    renewal: Renewal = no_renewal,
) -> ServedCompany:
    return ServedCompany(UUID(company_id), None, secrets, basic, renewal)


@dataclass
class Receiving:
    """Serves while the block lasts. `fails` starts go wrong; each takes `seconds`."""

    companies: list[ServedCompany] = field(default_factory=lambda: [company()])
    started: list[str] = field(default_factory=list)
    fails: int = 0
    seconds: float = 0

    async def _start(self, _company: ServedCompany, job: CreatedJob) -> None:
        await asyncio.sleep(self.seconds)
        if self.fails:
            self.fails -= 1
            raise NoRuns
        self.started.append(str(job.id))

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/webhook"

    def health(self) -> dict[str, Any]:
        answer = SENDER.get(f"{self.origin}/health")
        assert answer.status_code == 200
        return dict(answer.json())

    def __enter__(self) -> Self:
        self._socket = listen("127.0.0.1", 0)
        self._stop = asyncio.Event()
        app = Receiver(self.companies, self._start).application()

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            await serve(app, self._socket, self._stop)

        ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(15)
        assert not self._thread.is_alive()
        self._socket.close()
