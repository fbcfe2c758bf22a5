"""What is released: a wheel that installs where nothing of ours is, and works there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from flows.commands.exit_codes import ExitCode

HOUSE = Path(__file__).parents[2]
VERSION = re.search(r'^version = "(.+)"$', (HOUSE / "pyproject.toml").read_text(), re.MULTILINE)


def version() -> str:
    assert VERSION, "pyproject.toml has a version"
    return VERSION[1]


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PLEO_", "PREFECT_"))}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        env={**own, **environment},
        cwd=environment.get("HOME"),
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment in which nothing is installed but pip."""
    folder = tmp_path_factory.mktemp("clean")
    assert run(sys.executable, "-m", "venv", folder).returncode == 0
    return folder / "bin"


@pytest.fixture(scope="module")
def wheel(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    made = run(clean / "python", "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, HOUSE)
    assert made.returncode == 0, made.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_the_changelog_begins_with_the_version() -> None:
    titles = re.findall(r"^## (\S+)", (HOUSE / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert titles[0] == version()


def test_the_command_tells_the_version() -> None:
    told = run(Path(sys.executable).with_name("pleo-export"), "--version")
    assert told.stdout.strip() == version()


@pytest.mark.slow
def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "adapters",
        "flows",
        f"pleo_export-{version()}.dist-info",
    }
    assert "adapters/pleo/openapi.yaml" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_installs_in_a_clean_environment_and_checks(
    wheel: Path, clean: Path, tmp_path: Path
) -> None:
    installed = run(clean / "python", "-m", "pip", "install", "--quiet", wheel)
    assert installed.returncode == 0, installed.stderr
    settings = {
        "HOME": str(tmp_path),
        "PLEO_EXPORT_COMPANY_ID": "5f0c6f0e-7a51-4a0b-9d3f-2f6f2c1b7a10",
        "PLEO_EXPORT_PLEO__BASE_URL": "http://127.0.0.1:9",
        "PLEO_EXPORT_PLEO__API_KEY": "not-asked-for",
        "PLEO_EXPORT_ACCOUNTING__SYSTEM": "faulty",
    }
    ready = run(clean / "pleo-export", "check", **settings)
    assert ready.returncode == ExitCode.DONE, ready.stderr
    read_only = {
        "PLEO_EXPORT_ACCOUNTING__CHECK": "writability",
        "PLEO_EXPORT_ACCOUNTING__BEHAVIOUR": "fail",
        "PLEO_EXPORT_ACCOUNTING__FAILURE": "read_only",
    }
    refused = run(clean / "pleo-export", "check", **settings, **read_only)
    assert refused.returncode == ExitCode.NOT_READY, refused.stderr
    assert "read-only" in refused.stdout + refused.stderr
