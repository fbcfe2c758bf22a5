"""Connections as blocks: the commands, the form that Prefect makes of the schema, and what is stored."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from prefect.client.orchestration import get_client

from adapters.connection import ExportConnection
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.commands.connection import delete_connection
from flows.connections import BLOCK_TYPE
from tests.conftest import PREFECT_FOLDER
from tests.flows.saved import save, spoil
from tests.flows.test_cli import PROGRAM, call, last_json
from tests.flows.test_deployments import prefect

pytestmark = pytest.mark.usefixtures("prefect_api")

CANARY = "CANARY-9c1e-in-a-block"


async def test_list_and_delete(pleo: EmbeddedPleo, capsys: pytest.CaptureFixture[str]) -> None:
    company = await save("acme", pleo, {"system": "faulty"}, api_key=CANARY)
    await save("half", pleo, {"system": "faulty"})
    await spoil("half")
    listed = call("connection", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    acme, half = last_json(listed)["connections"]
    assert acme == {
        "name": "acme",
        "company_id": str(company),
        "system": "faulty",
        "pleo": pleo.base_url,
        "fault": "",
    }
    assert half["company_id"] is None
    assert "PLEO_EXPORT_PLEO__API_KEY" in half["fault"] and "connection save half" in half["fault"]
    assert CANARY not in listed.stdout + listed.stderr

    unasked = call("connection", "delete", "acme", "--json")
    assert unasked.returncode == 2 and "--yes" in unasked.stderr
    unknown = call("connection", "delete", "nobody", "--yes")
    assert unknown.returncode == 2 and "'nobody'" in unknown.stderr
    assert answered("acme", b"n\n") == 0
    assert answered("half", b"y\n") == 0
    await delete_connection("acme", sure=True, as_json=True)
    assert capsys.readouterr().out == '{"name":"acme","deleted":true}\n'
    assert last_json(call("connection", "list", "--json")) == {"connections": []}


def answered(name: str, answer: bytes) -> int:
    """Delete a connection at a terminal where a person gives that answer, and give the exit code."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        command = [PROGRAM, "connection", "delete", name]
        return subprocess.run(command, stdin=theirs, capture_output=True, timeout=90).returncode
    finally:
        os.close(ours)
        os.close(theirs)


async def test_the_form_explains_every_field_and_masks_secrets() -> None:
    prefect("block", "register", "-m", "flows.blocks")
    async with get_client() as client:
        kind = await client.read_block_type_by_slug(BLOCK_TYPE)
        schemas = await client.request(
            "POST",
            "/block_schemas/filter",
            json={"block_schemas": {"block_type_id": {"any_": [str(kind.id)]}}},
        )
    form: dict[str, Any] = schemas.json()[0]["fields"]
    assert set(form["properties"]) == set(ExportConnection.model_fields)
    assert all(field.get("description") for field in form["properties"].values())
    systems = form["properties"]["accounting"]
    assert systems["discriminator"]["propertyName"] == "system"
    titles = [form["definitions"][ref["$ref"].rpartition("/")[2]]["title"] for ref in systems["oneOf"]]
    assert titles == ["Faulty", "Fava", "Tryton"], "a person chooses by the system's name"
    for name in ("PleoSettings", "OAuthSettings", "BookingAccounts", "FavaSettings", "TrytonSettings"):
        fields = form["definitions"][name]["properties"]
        unexplained = [field for field, what in fields.items() if not what.get("description")]
        assert unexplained in ([], ["system"])
    assert set(form["secret_fields"]) == {
        "pleo.api_key",
        "pleo.access_token",
        "pleo.oauth.client_secret",
        "pleo.oauth.refresh_token",
        "accounting.password",
        "accounting.application_key",
    }


async def test_secrets_are_encrypted_and_masked(pleo: EmbeddedPleo) -> None:
    fava = {"system": "fava", "url": "http://127.0.0.1:1", "username": "clerk", "password": CANARY}
    await save("acme", pleo, fava, api_key=CANARY)
    async with get_client() as client:
        shown = await client.read_block_document_by_name("acme", BLOCK_TYPE, include_secrets=False)
    assert shown.data["pleo"]["api_key"] == "********" == shown.data["accounting"]["password"]
    stored = list((PREFECT_FOLDER / "server").glob("prefect.db*"))
    assert any(b"clerk" in file.read_bytes() for file in stored), "what is no secret is found there"
    assert all(CANARY.encode() not in file.read_bytes() for file in stored)


def test_what_is_said_of_a_saved_connection_that_is_not_valid(
    pleo: EmbeddedPleo, connect: Callable[..., None], healthy_ledger: str
) -> None:
    connect(healthy_ledger)
    assert call("connection", "save", "acme").returncode == 0
    asyncio.run(spoil("acme"))
    run = call("run", "--connection", "acme", "--json")
    assert run.returncode == 2
    assert "'acme' is not valid" in last_json(run)["message"]
    assert call("connection", "save", "acme").returncode == 0, "saving it again mends it"
    assert last_json(call("run", "--connection", "acme", "--json"))["state_name"] == "NothingToExport"
