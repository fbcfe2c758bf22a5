"""The token endpoint: refresh alone, with rotation (L7-L9)."""

from __future__ import annotations

from urllib.parse import parse_qs

from .call import Answer, json_answer
from .credentials import read_basic
from .world import World

SCOPES = "export-jobs:read export-jobs:write export-items:read"


def answer_token_request(world: World, authorization: str | None, body: bytes) -> Answer:
    """Answer `POST /oauth/token` with `grant_type=refresh_token` (form-encoded; client by HTTP Basic, C13).

    200: a new pair, the old one is dead at once (L8). 400 `invalid_grant`: the refresh token is not good;
    was it good once, every active refresh token dies with it (L9). 401 `invalid_client`, 400 otherwise.
    """
    client = read_basic(authorization)
    credentials = world.credentials
    if client is None or credentials.clients.get(client[0]) != client[1]:
        refused = json_answer(401, {"error": "invalid_client"})
        return Answer(401, refused.body, {**refused.headers, "WWW-Authenticate": 'Basic realm="pleo"'})
    form = parse_qs(body.decode("utf-8", "replace"))
    if form.get("grant_type") != ["refresh_token"]:
        return json_answer(400, {"error": "unsupported_grant_type"})
    tokens = form.get("refresh_token", [])
    if len(tokens) != 1:
        return json_answer(400, {"error": "invalid_request"})
    settings = world.settings
    lifetime = settings.token_lifetime_seconds
    grant = credentials.refresh(tokens[0], world.clock.now(), lifetime, settings.refresh_lifetime_seconds)
    world.changed = True
    if grant is None:
        return json_answer(400, {"error": "invalid_grant"})
    granted = json_answer(
        200,
        {
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": SCOPES,
        },
    )
    return Answer(200, granted.body, {**granted.headers, "Cache-Control": "no-store"})
