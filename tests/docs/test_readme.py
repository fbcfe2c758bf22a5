"""The README is true to the code: its tables are made from it, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.accounting.failures import DOCUMENTED_TEXT
from adapters.accounting.registry import registered
from adapters.connection import ExportConnection
from tests.docs.readme_tables import README, settings, with_tables
from tests.flows.commands import in_process

CHECKOUT = README.parent
TEXT = README.read_text(encoding="utf-8")


def test_the_tables_are_what_the_code_says() -> None:
    assert with_tables(TEXT) == TEXT, "bring them up to date with `make readme`"


def test_a_table_that_is_out_of_date_is_noticed_and_mended() -> None:
    stale = TEXT.replace("PLEO_EXPORT_COMPANY_ID` | required", "PLEO_EXPORT_COMPANY_ID` | none")
    assert stale != TEXT
    assert with_tables(stale) == TEXT


def test_every_setting_has_a_meaning() -> None:
    found = [*settings(ExportConnection, leave_out="accounting")]
    for adapter in registered().values():
        found += settings(adapter.Settings, ("accounting",), leave_out="system")
    assert [name for name, _, meaning in found if not meaning] == []


def test_the_two_commands_come_first_and_the_documented_text_is_told() -> None:
    assert TEXT.index("make demo") < TEXT.index("make test") < TEXT.index("## ")
    assert DOCUMENTED_TEXT in TEXT


@pytest.mark.parametrize("page", [README, *sorted((CHECKOUT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", TEXT))
    assert named >= {"demo", "test", "check", "bench"}
    assert [target for target in named if f"\n{target}:" not in makefile] == []


def test_every_command_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"pleo-export ((?:connection )?[a-z]+)", TEXT)) - {"connection"}
    assert "run" in named
    for command in sorted(named):
        assert in_process(capsys, *command.split(), "--help").returncode == 0, command
