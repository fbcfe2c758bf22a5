"""`pleo-export webhook`: its options and help; what they do is imported only when it is asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.commands.exit_codes import ExitCode
from flows.commands.options import Json

webhook_app = App(name="webhook")


@webhook_app.default
def webhook(
    *,
    connection: Annotated[list[str] | None, Parameter(negative=())] = None,
    host: str = "127.0.0.1",
    port: int = 8766,
    deployment: str = "export-job/export-job",
    json: Json = False,
) -> int:
    """Receive Pleo's webhooks and start a run for each new export job, until it is interrupted.

    Example: pleo-export webhook --connection acme --connection globex --port 8766

    Parameters
    ----------
    connection
        Name of a saved connection, once for each company; without it the environment's settings are used.
    host
        Address to listen on. Pleo reaches it through a reverse proxy that speaks TLS.
    port
        Port to listen on; 0 takes a free one.
    deployment
        Deployment whose runs are started, as flow/deployment.

    """
    from flows.commands.webhook import receive_webhooks

    receive_webhooks(connections=connection, host=host, port=port, deployment=deployment, as_json=json)
    return ExitCode.DONE


@webhook_app.command
def subscribe(
    *, url: str, connection: str | None = None, env_file: Path = Path(".env"), json: Json = False
) -> int:
    """Have Pleo deliver new export jobs to a URL, once, and keep the signing secret.

    Example: pleo-export webhook subscribe --url https://hooks.example/webhook --connection acme

    Parameters
    ----------
    url
        Public address of the receiver: https://…/webhook/COMPANY-ID, or https://…/webhook for one company.
    connection
        Name of the saved connection, which then keeps the secret; without it the environment's settings.
    env_file
        Without a connection: file that the secret is written into, readable for its owner alone.

    """
    from flows.commands.webhook_subscription import subscribe_to_jobs

    return asyncio.run(subscribe_to_jobs(url=url, connection=connection, env_file=env_file, as_json=json))


@webhook_app.command
def status(*, connection: str | None = None, json: Json = False) -> int:
    """Show the subscriptions of a company; the exit code is 3 if none of them delivers with a known secret.

    Example: pleo-export webhook status --connection acme

    Parameters
    ----------
    connection
        Name of the saved connection; without it the environment's settings are used.

    """
    from flows.commands.webhook_subscription import show_subscriptions

    return asyncio.run(show_subscriptions(connection=connection, as_json=json))
