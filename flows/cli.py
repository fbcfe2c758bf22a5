"""`pleo-export`: the commands. Prefect is imported only inside those that run flows or keep connections."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import App, CycloptsError, Parameter

from adapters.accounting.failures import FailureReporting
from adapters.environment import ConfigurationError, load_connection
from flows.commands.errors import ServiceError
from flows.commands.exit_codes import ExitCode
from flows.commands.options import Json
from flows.commands.webhook_app import webhook_app
from flows.defects import frames_of
from flows.rules.on_failed_job import OnFailedJob
from flows.rules.rebooking import refuse_rebooking_of_any

Rebook = Annotated[bool, Parameter(negative=())]
_INTERRUPTED, _ENDED_BY_SIGTERM = 130, 143
"""As shells have it: 128 and the number of the signal."""

app = App(
    name="pleo-export",
    help="Bring a company's Pleo expenses into its accounting system.",
    version=lambda: version("pleo-export"),
    version_flags=["--version"],
)
connection_app = App(name="connection", help="Keep connections in Prefect, encrypted, under a name.")
app.command(connection_app)
app.command(webhook_app)


@app.command
def check(*, json: Json = False) -> int:
    """Check that the accounting system is ready; nothing is changed and Pleo is not asked.

    Example: pleo-export check --json
    """
    from flows.commands.check import run_checks

    return ExitCode.DONE if asyncio.run(run_checks(as_json=json)) else ExitCode.NOT_READY


@app.command
def run(
    *,
    job_id: UUID | None = None,
    connection: str | None = None,
    failure_reporting: FailureReporting | None = None,
    fetch_only: Annotated[bool, Parameter(negative=())] = False,
    on_failed_job: OnFailedJob = OnFailedJob.REPORT,
    rebook: Rebook = False,
    json: Json = False,
) -> int:
    """Take an export job through its lifecycle: the given one, else the oldest that waits.

    Example: pleo-export run --json

    Parameters
    ----------
    job_id
        Id of the export job in Pleo.
    connection
        Name of a saved connection; without it the environment's settings are used.
    failure_reporting
        What Pleo is told when a check fails, if not what the connection says.
    fetch_only
        End after the items were fetched; nothing is booked and the job stays in progress.
    on_failed_job
        If the given job is failed in Pleo already: say why and how the accounting system stands, or export
        its entries again in a new job.
    rebook
        Book once more, on purpose, what is in the books already; needs --job-id. A job does so once.

    """
    refuse_rebooking_of_any(job_id, rebook=rebook)
    if connection is None:
        load_connection()
    from flows.commands.run import run_export

    return run_export(
        connection=connection,
        job_id=job_id,
        failure_reporting=failure_reporting,
        fetch_only=fetch_only,
        on_failed_job=on_failed_job,
        rebook=rebook,
        as_json=json,
    )


@app.command
def plan(
    *,
    job_id: UUID | None = None,
    connection: str | None = None,
    rebook: Rebook = False,
    json: Json = False,
) -> int:
    """Show what a run would book; nothing is written anywhere, and the job is not started.

    Example: pleo-export plan --job-id 5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10

    Parameters
    ----------
    job_id
        Id of the export job in Pleo; without it the one that `run` would take.
    connection
        Name of a saved connection; without it the environment's settings are used.
    rebook
        Show what `run --rebook` would book once more; needs --job-id.

    """
    from flows.commands.plan import show_plan

    return asyncio.run(show_plan(connection=connection, job_id=job_id, rebook=rebook, as_json=json))


@app.command
def sandbox(*, port: int = 8765, state_file: Path | None = None, json: Json = False) -> int:
    """Serve the embedded Pleo on loopback until it is interrupted.

    Example: pleo-export sandbox --port 8765

    Parameters
    ----------
    port
        Port on 127.0.0.1; 0 takes a free one.
    state_file
        File that keeps the state across restarts; without it the state is lost at the end.

    """
    from flows.commands.sandbox import serve_sandbox

    serve_sandbox(port=port, state_file=state_file, as_json=json)
    return ExitCode.DONE


@app.command
def demo(
    *,
    failures: Annotated[bool, Parameter(negative=())] = False,
    tryton: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Show a ready, a read-only and an absent ledger, with the embedded Pleo and a real Fava.

    Example: pleo-export demo

    Parameters
    ----------
    failures
        Show every failure of an accounting system instead, with the faulty one.
    tryton
        Show a real Tryton in five states instead; it needs the extra `tryton`.

    """
    if failures:
        from flows.commands.demo_failures import run_failures_demo

        ok = run_failures_demo(as_json=json)
    elif tryton:
        from flows.commands.demo_tryton import run_tryton_demo

        ok = run_tryton_demo(as_json=json)
    else:
        from flows.commands.demo import run_demo

        ok = run_demo(as_json=json)
    return ExitCode.DONE if ok else ExitCode.UNEXPECTED


@connection_app.command
def save(name: str, *, env_file: Path = Path(".env"), json: Json = False) -> int:
    """Save the environment's connection as an encrypted Prefect block.

    Example: pleo-export connection save acme

    Parameters
    ----------
    name
        Name to save it under: lowercase letters, digits and dashes.
    env_file
        File of settings that are read beside the environment's.

    """
    from flows.commands.connection import save_connection

    asyncio.run(save_connection(name, env_file, as_json=json))
    return ExitCode.DONE


@connection_app.command
def show(name: str, *, json: Json = False) -> int:
    """Show a saved connection; its secrets stay masked.

    Example: pleo-export connection show acme
    """
    from flows.commands.connection import show_connection

    asyncio.run(show_connection(name, as_json=json))
    return ExitCode.DONE


@connection_app.command(name="list")
def list_saved(*, json: Json = False) -> int:
    """List the saved connections, without their secrets; one that is not valid says why.

    Example: pleo-export connection list
    """
    from flows.commands.connection import list_connections

    asyncio.run(list_connections(as_json=json))
    return ExitCode.DONE


@connection_app.command
def delete(name: str, *, yes: Annotated[bool, Parameter(negative=())] = False, json: Json = False) -> int:
    """Delete a saved connection, its secrets included.

    Example: pleo-export connection delete acme --yes

    Parameters
    ----------
    name
        Name that it is saved under.
    yes
        Delete without asking.

    """
    from flows.commands.connection import delete_connection

    asyncio.run(delete_connection(name, sure=yes, as_json=json))
    return ExitCode.DONE


def _is_of_sigterm(error: BaseException) -> bool:
    from prefect.exceptions import TerminationSignal

    from flows.commands.run import EndedBySigterm

    return isinstance(error, TerminationSignal | EndedBySigterm | asyncio.CancelledError)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the command's exit code."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: list[str] | None) -> int:
    try:
        result = app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return ExitCode.USAGE
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return ExitCode.USAGE
    except ServiceError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return ExitCode.UNEXPECTED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - its text could hold a secret, so only its place is shown
        print(f"{frames_of(error)}Unexpected {type(error).__name__}; please report it.", file=sys.stderr)  # noqa: T201
        return ExitCode.UNEXPECTED
    except BaseException as error:
        if not _is_of_sigterm(error):
            raise
        print("Ended by SIGTERM. A job that was begun is gone on with by the next run.", file=sys.stderr)  # noqa: T201
        return _ENDED_BY_SIGTERM
    return result if isinstance(result, int) else ExitCode.DONE
