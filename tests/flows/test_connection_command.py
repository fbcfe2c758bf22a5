"""Connections as blocks: the commands, the form that Prefect makes of the schema, and what is stored."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from prefect.client.orchestration import get_client

from adapters.connection import ExportConnection
from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.connections import BLOCK_TYPE
from tests.conftest import PREFECT_FOLDER
from tests.flows.commands import PROGRAM, in_process
from tests.flows.deploying import prefect
from tests.flows.saved import save, spoil

pytestmark = pytest.mark.usefixtures("prefect_api")

CANARY = "CANARY-9c1e-in-a-block"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Give exit code and output."""
    ended = in_process(capsys, *arguments)
    return ended.returncode, ended.stderr + ended.stdout


def last_json(said: str) -> Any:
    return json.loads(said.splitlines()[-1])


@pytest.mark.slow
def test_list_and_delete(pleo: EmbeddedPleo, capsys: pytest.CaptureFixture[str]) -> None:
    company = asyncio.run(save("acme", pleo, {"system": "faulty"}, api_key=CANARY))
    asyncio.run(save("half", pleo, {"system": "faulty"}))
    asyncio.run(spoil("half"))
    code, listed = command(capsys, "connection", "list", "--json")
    assert code == 0, listed
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
    assert CANARY not in listed

    code, unknown = command(capsys, "connection", "delete", "nobody", "--yes")
    assert code == 2 and "'nobody'" in unknown
    assert answered("acme", b"n\n") == 0
    assert last_json(command(capsys, "connection", "delete", "half", "--yes", "--json")[1]) == {
        "name": "half",
        "deleted": True,
    }
    code, left = command(capsys, "connection", "list", "--json")
    assert [each["name"] for each in last_json(left)["connections"]] == ["acme"]
    assert answered("acme", b"y\n") == 0
    code, left = command(capsys, "connection", "list", "--json")
    assert "No connection is saved" in left and last_json(left) == {"connections": []}


@pytest.mark.slow
def test_nobody_to_ask(pleo: EmbeddedPleo) -> None:
    asyncio.run(save("acme", pleo, {"system": "faulty"}))
    unasked = subprocess.run(
        [PROGRAM, "connection", "delete", "acme"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert unasked.returncode == 2 and "--yes" in unasked.stderr


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


@pytest.mark.slow
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
        "pleo.webhook_secret",
        "pleo.webhook_basic",
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
    assert any(b"acme" in file.read_bytes() for file in stored), "the name is stored as it is"
    assert all(CANARY.encode() not in file.read_bytes() for file in stored)


def test_what_is_said_of_a_saved_connection_that_is_not_valid(
    pleo: EmbeddedPleo,
    connect: Callable[..., None],
    healthy_ledger: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connect(healthy_ledger)
    assert command(capsys, "connection", "save", "acme")[0] == 0
    asyncio.run(spoil("acme"))
    code, shown = command(capsys, "connection", "show", "acme")
    assert code == 2 and "'acme' is not valid" in shown and "PLEO_EXPORT_PLEO__API_KEY" in shown
    code, run = command(capsys, "run", "--connection", "acme", "--json")
    assert code == 2 and "'acme' is not valid" in last_json(run)["message"]
    assert command(capsys, "connection", "save", "acme")[0] == 0, "saving it again mends it"
    code, run = command(capsys, "run", "--connection", "acme", "--json")
    assert last_json(run)["state_name"] == "NothingToExport"
