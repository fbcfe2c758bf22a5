"""`pleo-export webhook`: the receiver, joined to Prefect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel
from rich.console import Console

from adapters.connection import ExportConnection
from adapters.environment import ConfigurationError, variable_name
from adapters.pleo.subscriptions import SubscriptionClient
from adapters.pleo.webhooks.company import ServedCompany
from adapters.pleo.webhooks.receiver import Receiver
from adapters.pleo.webhooks.server import CannotListen, listen, serve
from adapters.retry import RetryPolicy
from flows.commands.output import print_json
from flows.connections import find_connection

if TYPE_CHECKING:
    from flows.commands.webhook_runs import DeploymentRuns

_ASK_ONCE = RetryPolicy(attempts=2, budget=20)
_DEPLOYMENT_SECONDS = 10


class ServedRecord(BaseModel):
    """One company in the JSON object of `pleo-export webhook`."""

    company_id: UUID
    connection: str | None
    path: str


class ReceiverRecord(BaseModel):
    """The JSON object of `pleo-export webhook`, printed once requests are accepted."""

    base_url: str
    deployment: str
    companies: list[ServedRecord]


def receive_webhooks(
    *, connections: Sequence[str] | None, host: str, port: int, deployment: str, as_json: bool
) -> None:
    """Serve until Ctrl-C or SIGTERM; deliveries under way are answered first.

    Raises:
        ConfigurationError: a setting, the deployment or the address is wrong; nothing was served.

    """
    with _logged_to_stderr():
        asyncio.run(_receive(connections, host, port, deployment, as_json=as_json))


async def _receive(
    connections: Sequence[str] | None, host: str, port: int, deployment: str, *, as_json: bool
) -> None:
    _need_a_server()
    companies = await _served(connections)
    from prefect.client.orchestration import get_client

    from flows.commands.webhook_runs import DeploymentRuns

    async with get_client() as client:
        runs = DeploymentRuns(client, deployment)
        await _find_if_answered(runs)
        try:
            listening = listen(host, port)
        except CannotListen as error:
            raise ConfigurationError(f"{error} Choose another --host or --port.") from None
        with listening:
            stop = asyncio.Event()
            for each in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(each, stop.set)
            shown = f"[{host}]" if ":" in host else host
            _announce(f"http://{shown}:{listening.getsockname()[1]}", companies, deployment, as_json=as_json)
            await serve(Receiver(companies, runs.start).application(), listening, stop)


async def _served(names: Sequence[str] | None) -> list[ServedCompany]:
    """Load each connection and make it a company of the receiver."""
    companies: dict[UUID, ServedCompany] = {}
    for name in dict.fromkeys(names) if names else [None]:
        settings = await find_connection(name)
        if settings.company_id in companies:
            raise ConfigurationError(
                f"The connections {companies[settings.company_id].connection!r} and {name!r} are of the same "
                "company; name one of them."
            )
        if not settings.pleo.webhook_secrets:
            where = "the environment" if name is None else f"the connection {name!r}"
            option = "" if name is None else f" --connection {name}"
            raise ConfigurationError(
                f"{variable_name(['pleo', 'webhook_secret'])} is not set in {where}: get it with "
                f"`pleo-export webhook subscribe --url https://…{option}`."
            )
        companies[settings.company_id] = _company(name, settings)
    return list(companies.values())


def _company(name: str | None, settings: ExportConnection) -> ServedCompany:
    async def renewal() -> list[str]:
        now = await find_connection(name)  # its credentials for Pleo may have been replaced as well
        async with SubscriptionClient(now.pleo, now.company_id, policy=_ASK_ONCE) as pleo:
            return await pleo.secrets()

    basic = settings.pleo.webhook_basic
    return ServedCompany(
        settings.company_id,
        name,
        settings.pleo.webhook_secrets,
        basic.get_secret_value() if basic else None,
        renewal,
    )


async def _find_if_answered(runs: DeploymentRuns) -> None:
    """Refuse to serve for a deployment that is not there; a server that is down may come back."""
    try:
        async with asyncio.timeout(_DEPLOYMENT_SECONDS):
            await runs.find()
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the client raises: until it answers, we answer 503
        logging.getLogger("pleo_export.webhook").warning(
            "Prefect does not answer (%s); deliveries are answered with 503 until it does.",
            type(error).__name__,
        )


def _need_a_server() -> None:
    """Refuse to go on without a server's address: Prefect would bring up one that no worker asks."""
    from prefect.settings import get_current_settings

    address = get_current_settings().api.url
    if not address or urlsplit(address).scheme not in {"http", "https"}:
        raise ConfigurationError(
            "PREFECT_API_URL is not set; set it to the Prefect server that is to run the exports, such as "
            "http://127.0.0.1:4200/api."
        )


def _announce(base_url: str, companies: Sequence[ServedCompany], deployment: str, *, as_json: bool) -> None:
    record = ReceiverRecord(
        base_url=base_url,
        deployment=deployment,
        companies=[
            ServedRecord(
                company_id=each.company_id, connection=each.connection, path=f"/webhook/{each.company_id}"
            )
            for each in companies
        ],
    )
    if as_json:
        print_json(record)
        return
    console = Console()
    console.print(f"Webhooks are received at {base_url}, for runs of {deployment}; end it with Ctrl-C.")
    for each in record.companies:
        console.print(f"  {each.connection or 'environment'}  {each.path}")
    if len(record.companies) == 1:
        console.print("  /webhook leads there as well, as there is one company.")


@contextlib.contextmanager
def _logged_to_stderr() -> Iterator[None]:
    logger = logging.getLogger("pleo_export.webhook")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
