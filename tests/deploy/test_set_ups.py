"""What is shipped for running Prefect's server: one source of settings, passwords, loopback alone."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.settings import get_current_settings

from deploy.local_cluster import API_PROCESSES, BALANCER_SETTINGS, POOL, server_settings
from deploy.new_environment import KINDS, compose, one_machine, write

HOUSE = Path(__file__).parents[2]
COMPOSE_FILE = (HOUSE / "deploy" / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE)
SERVICES = COMPOSE["services"]
APIS = ("api-1", "api-2")
SERVER_PROCESSES = ("preparation", *APIS, "services")


def words(service: str) -> str:
    command = SERVICES[service]["command"]
    return " ".join(command)


def test_what_compose_asks_for_is_what_is_written() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?\}", COMPOSE_FILE))
    assert asked == set(compose())
    assert "${" not in re.sub(r"\$\{\w+:\?\}", "", COMPOSE_FILE), "nothing is left empty in silence"


def test_every_password_is_new() -> None:
    for make in (compose, one_machine):
        first, second = make(), make()
        secret = [name for name in first if name.endswith(("PASSWORD", "AUTH", "AUTH_STRING", "KEY"))]
        assert secret
        assert all(first[name] != second[name] and len(first[name]) >= 44 for name in secret)


def test_server_processes_share_settings_and_ask_for_a_password() -> None:
    for name in SERVER_PROCESSES:
        assert SERVICES[name]["env_file"] == "server.env"
        assert "PREFECT_SERVER_API_AUTH_STRING" in SERVICES[name]["environment"]
    assert len(APIS) == API_PROCESSES
    for name in APIS:
        assert words(name).endswith("--no-services")
        assert SERVICES[name]["depends_on"]["preparation"] == {"condition": "service_completed_successfully"}


def test_the_balancer_knows_both_api_processes() -> None:
    addresses = dict(SERVICES["api"]["environment"])
    assert addresses.pop("BIND") == "0.0.0.0:4200"
    assert sorted(addresses.values()) == [f"{name}:4200" for name in APIS]
    assert {f'"${{{name}}}"' for name in addresses} <= set(BALANCER_SETTINGS.read_text().split())


def test_only_the_api_is_published_and_on_loopback_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:4200:4200"]}


def test_leases_outlive_the_server() -> None:
    assert server_settings()["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"] == "prefect_redis.lease_storage"
    assert one_machine()["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith(".filesystem")


def test_the_settings_are_ones_that_prefect_knows() -> None:
    names = {name.removeprefix("PREFECT_SERVER_").lower() for name in server_settings()} - {"do_not_track"}
    for name in names:
        holder: Any = get_current_settings().server
        rest = name
        while rest:
            field = next(
                (f for f in type(holder).model_fields if rest == f or rest.startswith(f"{f}_")), None
            )
            assert field, f"Prefect has no setting {name}"
            holder, rest = getattr(holder, field), rest[len(field) + 1 :]


def test_workers_of_both_set_ups_serve_the_pool_of_the_deployments() -> None:
    pools = {
        each["work_pool"]["name"]
        for each in yaml.safe_load((HOUSE / "prefect.yaml").read_text())["deployments"]
    }
    assert pools == {POOL}
    assert f"--pool {POOL} --limit" in words("worker")
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_a_file_of_passwords_is_its_owners_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "prefect.env"
    write(path, one_machine())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    with pytest.raises(FileExistsError):
        write(path, one_machine())
    assert path.read_text() == before


def test_files_of_passwords_are_never_committed_nor_put_into_an_image() -> None:
    ignored = (HOUSE / ".gitignore").read_text().split()
    left_out = (HOUSE / ".dockerignore").read_text().split()
    for path, _settings in KINDS.values():
        name = path.relative_to(HOUSE).as_posix()
        assert f"/{name}" in ignored
        assert name in left_out
