"""A Prefect server that takes runs one right after another; on SQLite each may wait for seconds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.commands.local_services import prefect_server
from flows.commands.tryton_services import create_database
from tests.support.postgres import own_postgres


@contextmanager
def prefect_on_postgresql() -> Iterator[str]:
    """Run it, and give the address of its API.

    Its files are not in pytest's folder: the next session of pytest shuts PostgreSQL's user out of that.
    """
    name = tempfile.mkdtemp(prefix="pleo-tests-prefect-")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, name, ignore_errors=True)
        folder = Path(name)
        postgres = stack.enter_context(own_postgres(folder / "postgresql"))
        create_database(postgres.address, "prefect")
        url = postgres.address.replace("postgresql://", "postgresql+asyncpg://").replace("@/?", "@/prefect?")
        settings = {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": url,
            # Else a machine that is busy for ten seconds makes it answer 500.
            "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
            "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60",
        }
        yield stack.enter_context(prefect_server(folder / "home", settings))
