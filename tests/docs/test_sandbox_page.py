"""docs/sandbox.md is true to the code: it names all that can be ordered, and nothing that cannot."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from starlette.routing import Route

from adapters.pleo.sandbox import EmbeddedPleo, SandboxSettings, defaults
from adapters.pleo.sandbox.contract import load_contract
from adapters.pleo.sandbox.control import CREDENTIAL_ACTIONS, Control
from adapters.pleo.sandbox.control_api import control_routes
from adapters.pleo.sandbox.faults import KINDS
from adapters.pleo.sandbox.orders import FAULT_FIELDS, JOB_FIELDS
from adapters.pleo.sandbox.received import FILTERS, MOST_RECORDS
from adapters.pleo.sandbox.recipe import MOST_ITEMS
from adapters.pleo.sandbox.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
EXAMPLES = re.compile(r"```.*?```", re.DOTALL)


def section(title: str) -> str:
    """A section's text up to the next heading, without its examples."""
    found = re.search(
        rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", EXAMPLES.sub("", PAGE), re.DOTALL | re.MULTILINE
    )
    assert found, f"there is no section {title!r}"
    return found[1]


def first_column(title: str) -> list[str]:
    """The names in backticks in the first cells of a section's tables."""
    rows = [line for line in section(title).splitlines() if line.startswith("|")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def control_calls() -> set[str]:
    routes: list[Route] = control_routes(Control(World(SandboxSettings()), load_contract()))
    return {
        f"{method} {route.path.replace(':int', '')}"
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_the_control_calls_are_those_that_there_are() -> None:
    calls = first_column("The control API")
    assert len(calls) == len(set(calls))
    assert set(calls) == control_calls()


def test_the_fields_of_a_job_are_those_that_there_are() -> None:
    assert sorted(first_column("Fields of a job")) == sorted(JOB_FIELDS)


def test_the_fields_and_kinds_of_faults_are_those_that_there_are() -> None:
    assert sorted(first_column("Faults")) == sorted([*FAULT_FIELDS, *KINDS])


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Credentials by order", [*CREDENTIAL_ACTIONS, "action", "expiresInSeconds"]),
        ("The control API", [*FILTERS, "advanceSeconds", "now"]),
        ("Start it", [each.name for each in fields(SandboxSettings)]),
        (
            "Credentials",
            [
                defaults.API_KEY,
                defaults.ACCESS_TOKEN,
                defaults.REFRESH_TOKEN,
                defaults.CLIENT_ID,
                defaults.CLIENT_SECRET,
            ],
        ),
    ],
)
def test_a_section_names_all_of_its_subject(title: str, names: list[str]) -> None:
    named = re.findall(r"`([^`]+)`", section(title))
    missing = [name for name in names if not any(re.search(rf"\b{name}\b", text) for text in named)]
    assert missing == []


def test_the_figures_are_those_of_the_code() -> None:
    settings = SandboxSettings()
    unknown = section("Where Pleo's behaviour is not known")
    assert f"{settings.page_size} entries a page, at most {settings.page_ceiling}" in unknown
    first, second = settings.delivery_pauses_seconds
    assert f"{settings.delivery_deadline_seconds:g} s for each, after {first:g} and {second:g} s" in unknown
    assert f"{MOST_ITEMS:,} items" in section("Limits")
    assert f"{MOST_RECORDS:,}" in section("The control API")


def test_the_python_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    # Stands for the client at work: every item but the one without an account is booked.
    work = """
    items = [item["accountingEntryId"] for item in pleo.job(job_id)["items"]]
    updates = [{"accountingEntryId": each, "status": "successful"} for each in items if each != items[1]]
    with caller(pleo, auth=(pleo.api_key, "")) as api:
        put_items(api, job_id, updates)
"""
    place = "    ...  # let a client of pleo.base_url do its work\n"
    assert place in example
    before = "from tests.adapters.pleo.sandbox.calls import caller, put_items\n"
    exec(compile(before + example.replace(place, work), "docs/sandbox.md", "exec"), {"__name__": "example"})


def test_the_examples_have_what_the_command_says() -> None:
    assert EmbeddedPleo.company_id in PAGE
    assert set(re.findall(r'-d \'\{"action": "(\w+)"', PAGE)) <= set(CREDENTIAL_ACTIONS)
    operations = {operation.name for operation in load_contract().operations}
    assert set(re.findall(r'"operation": "(\w+)"', PAGE)) <= operations
