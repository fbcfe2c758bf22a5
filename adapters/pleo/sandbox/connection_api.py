"""Subscriptions v1 and Installations v1: how an integration stays in touch and tells of its health."""

from __future__ import annotations

from collections.abc import Sequence

from . import defaults
from .call import Answer, Call, json_answer, page_answer
from .installation import Installation
from .layers import serialise
from .paging import render_page
from .refusals import no_such_record
from .world import World


def list_subscriptions(world: World, call: Call) -> Answer:
    """List subscriptions, oldest first, filtered by status and event type."""
    request = call.page_request("subscriptions", world.settings)
    status, events = call.query.get("status"), set(call.query.get("event_types", ()))
    chosen = {
        each.number: each
        for each in world.subscriptions.by_id.values()
        if (status is None or each.active == (status == "ACTIVE"))
        and (not events or events & set(each.event_types))
    }

    def entries(positions: Sequence[int]) -> list[bytes]:
        return [serialise(chosen[position].describe()) for position in positions]

    return page_answer(render_page(request, list(chosen), entries))


def create_subscription(world: World, call: Call) -> Answer:
    """Subscribe an endpoint; answered 200, not 201 (L103)."""
    subscription = world.subscriptions.create(call.body, call.now)
    world.changed = True
    return json_answer(200, {"data": subscription.describe()})


def get_subscription(world: World, call: Call) -> Answer:
    """Read one subscription."""
    return json_answer(200, {"data": world.subscriptions.find(call.path["id"]).describe()})


def update_subscription(world: World, call: Call) -> Answer:
    """Replace one subscription's settings."""
    subscription = world.subscriptions.update(call.path["id"], call.body, call.now)
    world.changed = True
    return json_answer(200, {"data": subscription.describe()})


def delete_subscription(world: World, call: Call) -> Answer:
    """Remove one subscription."""
    world.subscriptions.delete(call.path["id"])
    world.changed = True
    return Answer(204)


def get_subscription_secret(world: World, call: Call) -> Answer:
    """Read the signing secret, `whsec_` and base64 (L106)."""
    return json_answer(200, {"data": {"secretKey": world.subscriptions.find(call.path["id"]).secret}})


def list_subscription_activities(world: World, call: Call) -> Answer:
    """List the changes made to a subscription, not its deliveries."""
    subscription = world.subscriptions.find(call.path["id"])
    request = call.page_request(f"activities-{subscription.id[:8]}", world.settings)
    kinds = set(call.query.get("operation_types", ()))
    log = subscription.activities
    positions = [number for number, each in enumerate(log) if not kinds or each["operationType"] in kinds]
    return page_answer(
        render_page(request, positions, lambda chosen: [serialise(log[each]) for each in chosen])
    )


def get_my_installation(world: World, call: Call) -> Answer:  # noqa: ARG001
    """Tell the caller which company the credential belongs to (L13)."""
    return json_answer(200, _installation(world).describe())


def create_my_installation(world: World, call: Call) -> Answer:
    """Record an installation; answered 201 (U52)."""
    status, metadata = call.body.get("status", "AUTHORIZED"), call.body.get("metadata")
    if world.installation is None:
        world.installation = Installation(defaults.COMPANY_ID, call.now, call.now)
    world.installation.change(call.now, status, None, metadata)
    world.changed = True
    return json_answer(201, world.installation.describe())


def update_my_installation(world: World, call: Call) -> Answer:
    """Take the connection state that the integration reports (L16)."""
    installation = _installation(world)
    installation.change(call.now, call.body["status"], call.body.get("errorCode"), call.body.get("metadata"))
    world.changed = True
    return json_answer(200, installation.describe())


def activate_my_installation(world: World, call: Call) -> Answer:
    """Mark the installation usable."""
    installation = _installation(world)
    installation.change(call.now, "ACTIVATED", None, None)
    world.changed = True
    return json_answer(200, installation.describe())


def _installation(world: World) -> Installation:
    if world.installation is None:
        raise no_such_record()
    return world.installation
