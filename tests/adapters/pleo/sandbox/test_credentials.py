"""Who may call, and how credentials end and are renewed (L4, L5, L7-L11)."""

from __future__ import annotations

import base64

import httpx
import pytest

from adapters.pleo.sandbox import EmbeddedPleo
from tests.adapters.pleo.sandbox.calls import bearer, refusal

DAY = 24 * 3600


def status(anyone: httpx.Client, headers: dict[str, str]) -> int:
    return anyone.get("/v1/installations/me", headers=headers).status_code


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def refresh(anyone: httpx.Client, pleo: EmbeddedPleo, token: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return anyone.post("/oauth/token", data=form, auth=(pleo.client_id, pleo.client_secret))


def test_the_key_is_a_basic_user_name_with_an_empty_password(
    pleo: EmbeddedPleo, anyone: httpx.Client
) -> None:
    assert status(anyone, basic(pleo.api_key)) == 200
    assert status(anyone, basic(pleo.api_key, "x")) == 401
    assert [each["credential"] for each in pleo.requests()] == ["api_key", None]


def test_the_access_token_is_a_bearer(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    assert status(anyone, bearer(pleo.access_token)) == 200
    assert [each["credential"] for each in pleo.requests()] == ["access_token"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic !",
        "Basic " + base64.b64encode(b"sandbox-api-key").decode(),  # without the colon
        "Basic " + base64.b64encode(b"\xff:").decode(),
        "Bearer",
        "Bearer another",
        "Bearer sandbox-api-key",
        "Bearer sandbox-refresh-token",
        "Token sandbox-api-key",
        "sandbox-api-key",
        "Basic \xe9",
    ],
)
def test_anything_else_is_401_and_says_which_ways_there_are(
    pleo: EmbeddedPleo, anyone: httpx.Client, value: str
) -> None:
    answer = anyone.get("/v3/export-jobs", headers={"Authorization": value.encode("latin-1")})
    assert refusal(answer) == (401, "UNAUTHORIZED")
    assert {"Bearer", "Basic"} <= set(answer.headers["www-authenticate"].replace(",", " ").split())
    assert status(anyone, bearer(pleo.access_token)) == 200


def test_no_credential_at_all_is_401_before_anything_else_is_looked_at(anyone: httpx.Client) -> None:
    assert refusal(anyone.get("/v3/export-jobs/no-uuid")) == (401, "UNAUTHORIZED")
    assert refusal(anyone.post("/v3/export-job-events", content=b"{")) == (401, "UNAUTHORIZED")
    assert refusal(anyone.get("/v1/subscriptions/a%0Ab")) == (401, "UNAUTHORIZED")
    for path in ("/v3/nothing", "/v3/nothing/", "/%0A"):
        assert refusal(anyone.get(path)) == (404, "NOT_FOUND")


def test_a_refresh_replaces_both_tokens_and_the_old_ones_are_dead(
    pleo: EmbeddedPleo, anyone: httpx.Client
) -> None:
    answer = refresh(anyone, pleo, pleo.refresh_token)
    first = answer.json()
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 3600)
    assert status(anyone, bearer(pleo.access_token)) == 401
    assert status(anyone, bearer(first["access_token"])) == 200
    second = refresh(anyone, pleo, first["refresh_token"]).json()
    assert status(anyone, bearer(first["access_token"])) == 401
    assert status(anyone, bearer(second["access_token"])) == 200


def test_using_a_spent_refresh_token_ends_the_live_one_too(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    # L9: the access token at hand still works; only a new authorization renews it from then on.
    alive = refresh(anyone, pleo, pleo.refresh_token).json()
    spent = refresh(anyone, pleo, pleo.refresh_token)
    assert (spent.status_code, spent.json()) == (400, {"error": "invalid_grant"})
    assert status(anyone, bearer(alive["access_token"])) == 200
    assert refresh(anyone, pleo, alive["refresh_token"]).status_code == 400
    anew = pleo.change_credentials("issue_tokens")
    assert refresh(anyone, pleo, anew["refreshToken"]).status_code == 200


def test_a_refresh_token_that_never_was_harms_nobody(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    assert refresh(anyone, pleo, "made-up").json() == {"error": "invalid_grant"}
    assert refresh(anyone, pleo, pleo.refresh_token).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": ["a", "b"]}, "invalid_request"),
    ],
)
def test_an_odd_token_request_is_400_and_spends_nothing(
    pleo: EmbeddedPleo, anyone: httpx.Client, form: dict[str, str], error: str
) -> None:
    answer = anyone.post("/oauth/token", data=form, auth=(pleo.client_id, pleo.client_secret))
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert refresh(anyone, pleo, pleo.refresh_token).status_code == 200


def test_a_wrong_client_is_401_and_spends_nothing(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": pleo.refresh_token}
    for auth in [None, (pleo.client_id, "x"), ("x", pleo.client_secret)]:
        answer = anyone.post("/oauth/token", data=form, auth=auth)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert anyone.get("/oauth/token").status_code == 405
    assert refresh(anyone, pleo, pleo.refresh_token).status_code == 200


def test_an_access_token_ends_when_it_said_and_can_be_renewed(
    pleo: EmbeddedPleo, anyone: httpx.Client
) -> None:
    pair = pleo.change_credentials("issue_tokens", expires_in_seconds=90)
    assert pair["expiresIn"] == 90
    pleo.advance(80)
    assert status(anyone, bearer(pair["accessToken"])) == 200
    pleo.advance(10)
    assert status(anyone, bearer(pair["accessToken"])) == 401
    renewed = refresh(anyone, pleo, pair["refreshToken"]).json()
    assert status(anyone, bearer(renewed["access_token"])) == 200


def test_a_refresh_token_ends_after_60_days(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    kept, late = (pleo.change_credentials("issue_tokens") for _ in range(2))
    pleo.advance(60 * DAY - 10)
    assert refresh(anyone, pleo, kept["refreshToken"]).status_code == 200
    pleo.advance(10)
    assert refresh(anyone, pleo, late["refreshToken"]).json() == {"error": "invalid_grant"}


def test_a_key_can_be_revoked_and_restored(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    pleo.change_credentials("revoke_api_key")
    assert status(anyone, basic(pleo.api_key)) == 401
    pleo.change_credentials("restore_api_key")
    assert status(anyone, basic(pleo.api_key)) == 200


@pytest.mark.parametrize("action", ["revoke_access_tokens", "expire_access_tokens"])
def test_dead_access_tokens_are_renewed_by_a_refresh(
    pleo: EmbeddedPleo, anyone: httpx.Client, action: str
) -> None:
    pleo.change_credentials(action)
    assert status(anyone, bearer(pleo.access_token)) == 401
    renewed = refresh(anyone, pleo, pleo.refresh_token).json()
    assert status(anyone, bearer(renewed["access_token"])) == 200


def test_withdrawn_authorization_leaves_only_a_new_one(pleo: EmbeddedPleo, anyone: httpx.Client) -> None:
    pleo.change_credentials("revoke_refresh_tokens")
    assert status(anyone, bearer(pleo.access_token)) == 200, "until it ends by itself"
    assert refresh(anyone, pleo, pleo.refresh_token).status_code == 400
    anew = pleo.change_credentials("issue_tokens")
    assert status(anyone, bearer(anew["accessToken"])) == 200
