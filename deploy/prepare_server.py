"""Brings the database of a Prefect server up to date, before several processes of it start.

    python -m deploy.prepare_server

Each process would do that as it starts, and two of them at once fail on each other's tables and block types
(seen with Prefect 3.9.1: UniqueViolationError, and the server gives up). So server.env switches it off for
them, and this does it once, by starting Prefect's own application.
"""

from __future__ import annotations

import asyncio
import os

START_SECONDS = 300
ONCE = ("PREFECT_SERVER_DATABASE_MIGRATE_ON_START", "PREFECT_SERVER_REGISTER_BLOCKS_ON_START")


async def prepare() -> None:
    """Start the application of the environment's server without its services; it is not stopped.

    Raises:
        TimeoutError: the database was not ready in five minutes.

    """
    os.environ.update(dict.fromkeys(ONCE, "true"))
    from asgi_lifespan import LifespanManager
    from prefect.server.api.server import create_app

    application = create_app(webserver_only=True, ignore_cache=True)
    await LifespanManager(application, startup_timeout=START_SECONDS).__aenter__()
    print("The database is up to date.", flush=True)
    os._exit(0)  # without its services the application waits for minutes when it is stopped


if __name__ == "__main__":
    asyncio.run(prepare())
