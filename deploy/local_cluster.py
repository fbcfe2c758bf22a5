"""The set-up of compose.yaml on this machine, without Docker: for the tests, and for trying it out.

    .venv/bin/python -m deploy.local_cluster

PostgreSQL comes from pip, `redis-server` and `haproxy` are the system's. Everything listens on loopback, has
new passwords, and ends with the program.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from prefect.client.orchestration import SyncPrefectClient
from redis import ConnectionError as RedisConnectionError
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from deploy import new_environment
from deploy.deployments import POOL
from flows.commands.errors import ServiceError
from flows.commands.local_services import free_port, installed_program, service
from flows.commands.tryton_services import create_database, local_postgresql

CHECKOUT = Path(__file__).parents[1]
SERVER_SETTINGS = Path(__file__).with_name("server.env")
BALANCER_SETTINGS = Path(__file__).with_name("haproxy.cfg")
API_PROCESSES = 2
RUNS_AT_ONCE = 2
"""Runs that one worker has at a time: each is a process that takes a second of a core to start."""

_UP_SECONDS = 120


class Worker:
    """One process worker, with the runs that it started, as if on a machine of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def die(self) -> None:
        """End the worker and all its runs at once, as a machine does whose power is cut."""
        worker = psutil.Process(self._process.pid)
        for each in [worker, *worker.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait(10)

    def stop(self) -> None:
        """End the worker politely, and what is left of it after that."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
            return
        self.die()


class Cluster:
    """A Prefect server of several processes that is up.

    Attributes:
        environment: what clients need to reach it: address and credentials.
        postgresql: address of its database server, without a database.
        api_processes: the processes that answer requests.

    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], postgresql: str, api_pids: Sequence[int]
    ) -> None:
        self._folder = folder
        self.environment = environment
        self.postgresql = postgresql
        self.api_processes = [psutil.Process(pid) for pid in api_pids]
        self._workers: list[Worker] = []

    def deploy(self) -> None:
        """Make the work pool, the deployments and the automation for silent runs.

        Raises:
            ServiceError: that failed; the text holds the end of what was printed.

        """
        _run([sys.executable, "-m", "deploy.deployments"], self.environment)

    def client(self) -> SyncPrefectClient:
        """Give a client of its API; it is a context manager."""
        address, auth = (self.environment[f"PREFECT_API_{name}"] for name in ("URL", "AUTH_STRING"))
        return SyncPrefectClient(address, auth_string=auth)

    def start_worker(self, name: str, environment: Mapping[str, str] | None = None) -> Worker:
        """Start a process worker; `environment` is for it and its runs."""
        command = [installed_program("prefect"), "worker", "start", "--pool", POOL, "--name", name]
        with (self._folder / f"worker-{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own programs on this machine
                [*command, "--limit", str(RUNS_AT_ONCE)],
                cwd=CHECKOUT,
                env={**os.environ, **self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        worker = Worker(process)
        self._workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        """End all workers that are still there."""
        for worker in self._workers:
            worker.stop()


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own programs on this machine
        command,
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_UP_SECONDS,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-800:]
        raise ServiceError(f"{' '.join(command[1:])} failed: {said}")


@contextlib.contextmanager
def local_cluster(folder: Path) -> Iterator[Cluster]:
    """Start PostgreSQL, Redis, two API processes and the background services, and end them with the block.

    Raises:
        ServiceError: one of them is not installed or did not start.

    """
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(local_postgresql(folder / "postgresql"))
        create_database(postgresql, "prefect")
        redis = stack.enter_context(_redis(folder))
        port = free_port()
        address = f"http://127.0.0.1:{port}/api"
        one_machine = new_environment.one_machine()
        auth = one_machine["PREFECT_API_AUTH_STRING"]
        client = {
            "PREFECT_API_URL": address,
            "PREFECT_API_AUTH_STRING": auth,
            "PREFECT_HOME": str(folder / "prefect"),
        }
        server = {
            **client,
            **server_settings(),
            "PREFECT_SERVER_API_AUTH_STRING": auth,
            "PREFECT_SERVER_ENCRYPTION_KEY": one_machine["PREFECT_SERVER_ENCRYPTION_KEY"],
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": postgresql.replace(
                "postgresql://postgres@/", "postgresql+asyncpg://postgres@/prefect"
            ),
            "PREFECT_REDIS_MESSAGING_URL": f"{redis}/0",
            "PREFECT_SERVER_DOCKET_URL": f"{redis}/1",
        }
        prefect = installed_program("prefect")
        _run([sys.executable, "-m", "deploy.prepare_server"], server)
        apis = [stack.enter_context(_api(folder, number, server)) for number in range(API_PROCESSES)]
        stack.enter_context(_balancer(folder, port, [address for address, _pid in apis]))
        services = [prefect, "server", "services", "start"]
        stack.enter_context(
            service(services, answers_at=None, log=folder / "services.log", environment=server)
        )
        cluster = Cluster(folder, client, postgresql, [pid for _address, pid in apis])
        stack.callback(cluster.stop_workers)
        yield cluster


def server_settings() -> dict[str, str]:
    """Read the settings that every process of the server has."""
    lines = SERVER_SETTINGS.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """Run a Redis with a password of its own, and give its address."""
    program = _system_program("redis-server")
    port, password = free_port(), secrets.token_hex(24)
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\nappendonly yes\nsave ""\n',
        encoding="utf-8",
    )
    address = f"redis://:{password}@127.0.0.1:{port}"
    with service([program, str(configuration)], answers_at=None, log=folder / "redis.log"):
        patient = Retry(ConstantBackoff(0.05), 200)
        with Redis.from_url(address, retry=patient, retry_on_error=[RedisConnectionError]) as client:
            client.ping()
        yield address


@contextlib.contextmanager
def _api(folder: Path, number: int, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Run one API process, and give its host and port, and its process id."""
    port = free_port()
    where = ["--host", "127.0.0.1", "--port", str(port)]
    with service(
        [installed_program("prefect"), "server", "start", *where, "--no-services"],
        answers_at=f"http://127.0.0.1:{port}/api/health",
        log=folder / f"api-{number}.log",
        environment=environment,
        seconds=_UP_SECONDS,
    ) as pid:
        yield f"127.0.0.1:{port}", pid


@contextlib.contextmanager
def _balancer(folder: Path, port: int, apis: Sequence[str]) -> Iterator[None]:
    """Give the API processes one address."""
    addresses = {"BIND": f"127.0.0.1:{port}", **{f"API_{n}": api for n, api in enumerate(apis, start=1)}}
    with service(
        [_system_program("haproxy"), "-f", str(BALANCER_SETTINGS)],
        answers_at=f"http://127.0.0.1:{port}/api/health",
        log=folder / "haproxy.log",
        environment=addresses,
    ):
        yield


def _system_program(name: str) -> str:
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise ServiceError(f"{name} is not installed; on Debian: apt-get install redis-server haproxy")
    return program


def main() -> None:
    """Run the cluster with two workers until it is interrupted."""
    with (
        tempfile.TemporaryDirectory(prefix="pleo-export-cluster-") as folder,
        local_cluster(Path(folder)) as cluster,
    ):
        cluster.deploy()
        for name in ("one", "two"):
            cluster.start_worker(name)
        variables = Path(folder) / "client.env"
        variables.touch(mode=0o600)
        variables.write_text("".join(f"{name}={value}\n" for name, value in cluster.environment.items()))
        print(f"Up, with two workers. For a client: set -a; . {variables}; set +a", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
