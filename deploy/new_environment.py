"""Writes the settings of a Prefect server of one's own, with new passwords, into a file for its owner alone.

    python3 deploy/new_environment.py one-machine      # prefect.env, for a server and workers on this machine
    python3 deploy/new_environment.py compose          # deploy/.env, for compose.yaml

A file that is there already is left: its passwords are in use.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def one_machine() -> dict[str, str]:
    """Settings of server, workers and commands on one machine: with a password, and leases that last."""
    auth = _user_and_password()
    return {
        "PREFECT_API_URL": "http://127.0.0.1:4200/api",
        "PREFECT_API_AUTH_STRING": auth,
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_ENCRYPTION_KEY": _key(),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def compose() -> dict[str, str]:
    """The passwords that compose.yaml asks for."""
    return {
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
        "PREFECT_AUTH": _user_and_password(),
        "ENCRYPTION_KEY": _key(),
    }


KINDS: Mapping[str, tuple[Path, Callable[[], dict[str, str]]]] = {
    "one-machine": (CHECKOUT / "prefect.env", one_machine),
    "compose": (CHECKOUT / "deploy" / ".env", compose),
}


def write(path: Path, settings: Mapping[str, str]) -> None:
    """Write an environment file of mode 600.

    Raises:
        FileExistsError: it is there already.

    """
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())


def _user_and_password() -> str:
    return f"pleo-export:{secrets.token_hex(24)}"


def _key() -> str:
    """Make the key (Fernet) of saved connections; else Prefect keeps one in the database itself."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def main() -> None:
    """Write the file of the wished kind."""
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        sys.exit(f"Name one kind: {' or '.join(KINDS)}.")
    path, settings = KINDS[sys.argv[1]]
    try:
        write(path, settings())
    except FileExistsError:
        sys.exit(f"{path} is there already and was left as it is.")
    print(f"Wrote {path}; only its owner can read it.")


if __name__ == "__main__":
    main()
