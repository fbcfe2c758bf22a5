"""`pleo-export webhook subscribe` and `status`: the subscription at Pleo, and its signing secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from dotenv import set_key
from pydantic import BaseModel, SecretStr
from rich.console import Console

from adapters.environment import ConfigurationError, variable_name
from adapters.http import can_be_requested
from adapters.pleo.errors import PleoError, PleoForbidden
from adapters.pleo.models import Subscription
from adapters.pleo.subscriptions import SubscriptionClient
from flows.commands.errors import ServiceError
from flows.commands.exit_codes import ExitCode
from flows.commands.output import print_json
from flows.connections import find_connection
from flows.rules.pleo_failures import failure_of
from flows.terminal import print_rows

_VARIABLE = variable_name(["pleo", "webhook_secret"])


class SubscriptionRecord(BaseModel):
    """One subscription; `secret_known` says whether its secret is among the connection's."""

    id: UUID
    url: str
    status: str
    secret_known: bool


class SubscribedRecord(BaseModel):
    """The JSON object of `webhook subscribe`."""

    subscription: SubscriptionRecord
    created: bool
    secret_kept_in: str


class StatusRecord(BaseModel):
    """The JSON object of `webhook status`."""

    receiving: bool
    subscriptions: list[SubscriptionRecord]


async def subscribe_to_jobs(*, url: str, connection: str | None, env_file: Path, as_json: bool) -> ExitCode:
    """Subscribe, keep the secrets of the active subscriptions, and show what there is. No secret is shown.

    Raises:
        ConfigurationError: the URL or a setting is wrong; nothing was sent.
        ServiceError: Pleo did not do it, or the secret could not be kept.

    """
    _need_public_url(url)
    settings = await find_connection(connection)
    if connection is None:
        _need_writable(env_file)
    basic = settings.pleo.webhook_basic
    try:
        async with SubscriptionClient(settings.pleo, settings.company_id) as pleo:
            subscription, created = await pleo.subscribe(url, basic.get_secret_value() if basic else None)
            secrets = [await pleo.secret_of(subscription)]
            # Another one that delivers to the same receiver, from before, goes on being understood.
            secrets += [each for each in await pleo.secrets() if each not in secrets]
    except PleoError as error:
        raise _not_done(error) from None
    if connection is None:
        _keep_in_file(env_file, " ".join(secrets))
        kept_in = str(env_file)
    else:
        await _keep_in_block(connection, " ".join(secrets))
        kept_in = f"connection {connection}"
    record = SubscribedRecord(
        subscription=_record(subscription, known=True), created=created, secret_kept_in=kept_in
    )
    console = Console(stderr=as_json)
    console.print("Subscribed." if created else "There was a subscription for this URL; it is used.")
    _print([record.subscription], console)
    console.print(f"Its signing secret is kept in: {kept_in}", soft_wrap=True, markup=False)
    if as_json:
        print_json(record)
    return ExitCode.DONE


async def show_subscriptions(*, connection: str | None, as_json: bool) -> ExitCode:
    """Show the subscriptions, and whether one of them delivers what the receiver can verify (U47).

    Raises:
        ConfigurationError: a setting is wrong; nothing was sent.
        ServiceError: Pleo could not be asked.

    """
    settings = await find_connection(connection)
    known = settings.pleo.webhook_secrets
    try:
        async with SubscriptionClient(settings.pleo, settings.company_id) as pleo:
            records = [
                _record(each, known=await pleo.secret_of(each) in known)
                for each in await pleo.list_subscriptions()
            ]
    except PleoError as error:
        raise _not_done(error) from None
    record = StatusRecord(
        receiving=any(each.status == "ACTIVE" and each.secret_known for each in records),
        subscriptions=records,
    )
    console = Console(stderr=as_json)
    if records:
        _print(records, console)
    if not record.receiving:
        console.print(
            "No active subscription signs with a known secret: run `pleo-export webhook subscribe`. "
            "Until then the schedule of watch-exports finds the jobs.",
            soft_wrap=True,
        )
    if as_json:
        print_json(record)
    return ExitCode.DONE if record.receiving else ExitCode.NOT_READY


def _record(subscription: Subscription, *, known: bool) -> SubscriptionRecord:
    return SubscriptionRecord(
        id=subscription.id, url=subscription.endpoint_url, status=subscription.status, secret_known=known
    )


def _print(records: list[SubscriptionRecord], console: Console) -> None:
    rows = [
        {
            "subscription": str(each.id),
            "url": each.url,
            "status": each.status,
            "secret": "known" if each.secret_known else "not known",
        }
        for each in records
    ]
    print_rows("Subscriptions to new export jobs", rows, console)


def _need_public_url(url: str) -> None:
    """Pleo delivers over https; plain http only makes sense for an embedded Pleo on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    local = host in {"127.0.0.1", "::1", "localhost"}
    if (
        not host
        or not can_be_requested(url)
        or parts.scheme not in ({"https", "http"} if local else {"https"})
    ):
        raise ConfigurationError(
            "--url must be the receiver's public address, such as https://hooks.example/webhook."
        )
    if parts.username or parts.password or parts.fragment:
        raise ConfigurationError(
            f"--url must not hold credentials or a fragment; set {variable_name(['pleo', 'webhook_basic'])} "
            "instead."
        )


def _not_done(error: PleoError) -> ServiceError:
    if isinstance(error, PleoForbidden):
        return ServiceError(
            "Pleo does not let these credentials manage webhook subscriptions; see docs/webhook.md."
        )
    failure = failure_of(error)
    return ServiceError(f"{failure.cause} ({failure.evidence}) {failure.remedy}")


def _need_writable(env_file: Path) -> None:
    """Refuse before Pleo is asked, as a secret that cannot be kept is of no use."""
    folder = env_file.absolute().parent
    if env_file.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigurationError(
            f"--env-file {env_file} cannot be written; name a file in a folder of yours."
        )


def _keep_in_file(env_file: Path, secrets: str) -> None:
    """Set the variable in the file, whose other lines stay, and keep it to its owner."""
    try:
        file = env_file.resolve()  # a link stays one
        file.touch(mode=0o600)
        file.chmod(0o600)
        set_key(file, _VARIABLE, secrets, quote_mode="always")
        file.chmod(0o600)
    except (OSError, UnicodeError):
        raise ServiceError(
            f"The subscription is there, but its secret could not be written into {env_file}; make the file "
            "writable and run the command again."
        ) from None


async def _keep_in_block(name: str, secrets: str) -> None:
    from flows.blocks import ExportConnectionBlock

    try:
        block = cast("ExportConnectionBlock", await ExportConnectionBlock.aload(name))
        block.pleo = block.pleo.model_copy(update={"webhook_secret": SecretStr(secrets)})
        await block.save(name, overwrite=True)
    except Exception:  # noqa: BLE001 - whatever Prefect's client raises; its text could hold the values
        raise ServiceError(
            f"The subscription is there, but its secret could not be saved in the connection {name!r}; see "
            "that Prefect answers, and run the command again."
        ) from None
