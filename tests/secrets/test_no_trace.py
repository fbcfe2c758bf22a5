"""No secret is in anything that a run leaves, however it ends; and the search would find one."""

from __future__ import annotations

import base64
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.secrets.conftest import SECRET, Place, a_place, ended, left
from tests.secrets.traces import Traces, files_below, forms, postgresql_text
from tests.secrets.ways import SAMPLE, families
from tests.support.kept_folder import kept_folder
from tests.support.postgres import own_postgres


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_a_sample_of_ways_leaves_no_trace(place: Place, traces: Traces) -> None:
    runs, said = place.run(*SAMPLE)
    assert traces.inside(said) == set()
    assert left(place, traces) == {}
    assert ended(runs, "all is well")["state"] == "Exported", ended(runs, "all is well")
    assert ended(runs, "oauth")["state"] == "Exported", ended(runs, "oauth")
    assert ended(runs, "crash at find")["state"] != "Exported"
    storage = place.inside / "client" / "storage"
    assert not storage.exists() or not list(storage.rglob("*.*")), "no result is kept, so none is a pickle"
    names = {name for name, _ in files_below(place.inside)}
    assert {"prefect.db", "prefect.db as text", "server.log", "books.jsonl", "tokens of oauth"} <= names


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_saved_connection_shows_nothing(place: Place, traces: Traces) -> None:
    settings = {
        "PLEO_EXPORT_COMPANY_ID": "5f0c5b0e-8f0a-4b8e-9a55-0d7d7a2f7f10",
        "PLEO_EXPORT_PLEO__BASE_URL": "https://pleo.invalid",
        "PLEO_EXPORT_PLEO__OAUTH__CLIENT_ID": "id",
        "PLEO_EXPORT_PLEO__OAUTH__CLIENT_SECRET": SECRET,
        "PLEO_EXPORT_PLEO__OAUTH__REFRESH_TOKEN": SECRET,
        "PLEO_EXPORT_PLEO__OAUTH__TOKEN_FILE": "tokens",
        "PLEO_EXPORT_ACCOUNTING__SYSTEM": "fava",
        "PLEO_EXPORT_ACCOUNTING__URL": "http://127.0.0.1:9/books",
        "PLEO_EXPORT_ACCOUNTING__USERNAME": "clerk",
        "PLEO_EXPORT_ACCOUNTING__PASSWORD": SECRET,
    }
    program = str(Path(sys.executable).with_name("pleo-export"))
    for words in (("connection", "save", "acme"), ("connection", "show", "acme", "--json")):
        done = place.command(program, *words, **settings)
        assert done.returncode == 0, done.stderr
        assert traces.inside(done.stdout + done.stderr) == set()
    assert left(place, traces) == {}


@pytest.mark.parametrize("how", sorted(forms(SECRET)))
def test_the_search_finds_each_form_and_parts_of_it(how: str, tmp_path: Path, traces: Traces) -> None:
    form = forms(SECRET)[how]
    (tmp_path / "planted.log").write_bytes(b"something " + form + b" more")
    (tmp_path / "part.log").write_bytes(b"..." + form[2:14] + b"...")
    (tmp_path / "innocent.log").write_bytes(b"Authorization: Basic ***")
    found = {name: traces.inside(data) for name, data in files_below(tmp_path)}
    assert found["planted.log"]
    assert found["part.log"]
    assert not found["innocent.log"]


def test_the_search_finds_it_in_a_header(traces: Traces) -> None:
    for pair in (f"{SECRET}:", f"clerk:{SECRET}", f"id:{SECRET}"):
        assert traces.inside(base64.b64encode(pair.encode())), pair


@pytest.mark.alone
def test_the_search_finds_it_in_a_database(tmp_path: Path, traces: Traces) -> None:
    with sqlite3.connect(tmp_path / "prefect.db") as database:
        database.execute("create table state (message text)")
        database.execute("insert into state values (?)", [f"'quoted' {SECRET}"])
    found = {name: traces.inside(data) for name, data in files_below(tmp_path)}
    assert found["prefect.db as text"]
    assert found["prefect.db"]


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_the_search_finds_it_where_prefect_puts_it(place: Place, traces: Traces) -> None:
    planted = (
        f"from prefect import flow\n@flow\ndef run(): raise ValueError({SECRET!r})\nrun(return_state=True)"
    )
    done = place.command(sys.executable, "-c", planted)
    assert traces.inside(done.stderr)
    assert "prefect.db as text" in left(place, traces)


@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", families(SECRET))
def test_every_way_leaves_no_trace(searched: Place, traces: Traces, family: str) -> None:
    ways = families(SECRET)[family]
    runs, said = searched.run(*ways, seconds=580)
    assert traces.inside(said) == set()
    assert left(searched, traces) == {}
    assert [run["way"] for run in runs] == list(ways)


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_sample_leaves_no_trace_in_postgresql(
    traces: Traces, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with own_postgres(kept_folder(pytestconfig, tmp_path_factory, "secrets-postgresql")) as postgres:
        with postgres.connect() as connection:
            connection.execute("drop database if exists prefect")
            connection.execute("create database prefect")
        address = postgres.address.replace("postgresql:", "postgresql+asyncpg:").replace("/?", "/prefect?")
        with a_place(tmp_path_factory, PREFECT_SERVER_DATABASE_CONNECTION_URL=address) as place:
            runs, said = place.run(*SAMPLE, seconds=500)
            assert left(place, traces) == {}
        text = postgresql_text(postgres)
        assert b"ValidationFailed" in text
        assert traces.inside(said + text) == set()
        assert ended(runs, "all is well")["state"] == "Exported"
