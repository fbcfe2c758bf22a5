"""The state file: what survives a restart, and what a person is told when it cannot be used."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from adapters.pleo.sandbox import EmbeddedPleo, UnusableStateFile
from tests.adapters.pleo.sandbox.calls import (
    REASON,
    bearer,
    caller,
    entry_ids,
    export_items,
    put_items,
    send_event,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pleo.json"


def test_everything_a_client_can_see_survives_a_restart(file: Path) -> None:
    before: dict[str, Any] = {}

    def look(pleo: EmbeddedPleo) -> dict[str, Any]:
        with caller(pleo, auth=(pleo.api_key, "")) as api:
            return {
                "jobs": api.get("/v3/export-jobs").json()["data"],
                "layers": [pleo.job(job["id"]) for job in pleo.jobs()],
                "data": [
                    {**item, "files": [file["size"] for file in item["files"]]}
                    for item in export_items(api, pleo.jobs()[0]["id"]).values()
                ],
                "subscriptions": api.get("/v1/subscriptions").json()["data"],
                "secret": [
                    api.get(f"/v1/subscriptions/{each['id']}/secret").json()
                    for each in api.get("/v1/subscriptions").json()["data"]
                ],
                "installation": api.get("/v1/installations/me").json(),
            }

    with EmbeddedPleo(state_file=file) as pleo, caller(pleo, auth=(pleo.api_key, "")) as api:
        pleo.set_clock("2026-03-02T08:15:00Z")
        pleo.create_job(2, status="failed")
        job_id = pleo.create_job(
            9, overrides={"1": {"note": "Mine"}}, without_account=[2], missing_in_data=[3], extra_in_data=1
        )
        send_event(api, job_id, "started")
        first, second, third, *_ = entry_ids(pleo, job_id)
        put_items(
            api,
            job_id,
            [
                {"accountingEntryId": first, "status": "successful", "externalId": "JRN-1"},
                {"accountingEntryId": second, "status": "failed", **REASON},
                {"accountingEntryId": third, "status": "pending", "externalId": "early"},
            ],
        )
        api.post(
            "/v1/subscriptions",
            json={"endpointUrl": "http://127.0.0.1:9/", "eventTypes": ["v1.vendor.created"]},
        )
        api.put("/v1/installations/me", json={"status": "ERROR", "errorCode": "AUTH_ERROR"})
        tokens = pleo.change_credentials("issue_tokens")
        link = next(
            (item["files"][0]["url"] for item in export_items(api, job_id).values() if item["files"]), None
        )
        before = look(pleo)
    with EmbeddedPleo(state_file=file) as pleo, caller(pleo) as anyone:
        assert look(pleo) == before
        headers = bearer(tokens["accessToken"])
        assert anyone.get("/v1/installations/me", headers=headers).status_code == 200
        if link is not None:
            old, new = link.split("/_sandbox/")[0], pleo.base_url
            assert anyone.get(link.replace(old, new)).status_code == 200
        with caller(pleo, auth=(pleo.api_key, "")) as api:
            assert send_event(api, job_id, "completed").status_code == 202
    with EmbeddedPleo(state_file=file) as pleo:
        assert pleo.job(job_id)["status"] == "completed"


def test_without_a_file_the_state_outlives_a_stop_but_not_the_object() -> None:
    pleo = EmbeddedPleo()
    with pleo:
        job_id, address = pleo.create_job(1), pleo.base_url
    pleo.set_clock("2031-01-01T00:00:00Z")  # steering works while nothing is served
    with pleo, caller(pleo, auth=(pleo.api_key, "")) as api:
        assert pleo.base_url == address
        job = api.get(f"/v3/export-jobs/{job_id}").json()["data"]
        assert job["failureReasonType"] == "job_expired"
    with EmbeddedPleo() as another:
        assert another.jobs() == []


def test_faults_and_records_are_not_kept(file: Path) -> None:
    with EmbeddedPleo(state_file=file) as pleo, caller(pleo) as anyone:
        pleo.inject(kind="close", call=9)
        anyone.get("/v3/export-jobs")
    with EmbeddedPleo(state_file=file) as pleo:
        assert (pleo.faults(), pleo.requests()) == ([], [])


def test_an_answer_is_on_disk_before_it_is_sent(file: Path) -> None:
    with EmbeddedPleo(state_file=file) as pleo, caller(pleo, auth=(pleo.api_key, "")) as api:
        job_id = pleo.create_job(1)
        send_event(api, job_id, "started")
        kept = json.loads(file.read_text())["world"]["jobs"]
        assert [(job["id"], job["status"]) for job in kept] == [(job_id, "in_progress")]


def test_only_its_owner_may_read_the_file(file: Path) -> None:
    EmbeddedPleo(state_file=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == [file.name], "no half-written file is left"


def test_a_reset_is_kept_too(file: Path) -> None:
    with EmbeddedPleo(state_file=file) as pleo:
        pleo.create_job(1)
        pleo.change_credentials("revoke_api_key")
        pleo.reset()
    with EmbeddedPleo(state_file=file) as pleo, caller(pleo, auth=(pleo.api_key, "")) as api:
        assert api.get("/v3/export-jobs").json()["data"] == []


def _without(name: str) -> bytes:
    folder = {"format": 1, "world": {"clockOffset": 0, "linkKey": "", "companies": [], "jobs": []}}
    return json.dumps({key: value for key, value in folder.items() if key != name}).encode()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not JSON"),
        (b'{"format": 1, "wor', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "another version"),
        (b'{"format": 2, "world": {}}', "another version"),
        (_without("format"), "another version"),
        (_without("world"), "damaged"),
        (b'{"format": 1, "world": null}', "damaged"),
        (b'{"format": 1, "world": {}}', "damaged"),
        (_without("nothing"), "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_left_as_it_is(file: Path, content: bytes, word: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UnusableStateFile) as refused:
        EmbeddedPleo(state_file=file)
    assert str(file) in str(refused.value) and word in str(refused.value)
    assert "delete it" in str(refused.value)
    assert file.read_bytes() == content
    file.unlink()
    with EmbeddedPleo(state_file=file) as pleo:
        assert pleo.jobs() == []


def test_a_damaged_job_in_the_file_is_damage_too(file: Path) -> None:
    with EmbeddedPleo(state_file=file) as pleo:
        pleo.create_job(1)
    whole = json.loads(file.read_text())
    for damage in ({"recipe": {}}, {"states": {"7": {}}}, {"states": []}, {"recipe": None}):
        broken = json.loads(json.dumps(whole))
        broken["world"]["jobs"][0].update(damage)
        file.write_text(json.dumps(broken))
        with pytest.raises(UnusableStateFile):
            EmbeddedPleo(state_file=file)
    file.write_text(json.dumps(whole))
    assert len(EmbeddedPleo(state_file=file).jobs()) == 1


def test_a_place_that_cannot_be_written_or_read_shows_at_the_start(tmp_path: Path) -> None:
    for place in (tmp_path / "absent" / "pleo.json", tmp_path):
        with pytest.raises(UnusableStateFile) as refused:
            EmbeddedPleo(state_file=place)
        assert str(place) in str(refused.value)
    (tmp_path / "absent").mkdir()
    EmbeddedPleo(state_file=tmp_path / "absent" / "pleo.json")
