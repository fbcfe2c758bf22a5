"""docs/operators.md tells of every ending of the flows, every artifact, and every field of the run form."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from flows import presentation
from flows.export_job import export_job

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs" / "operators.md").read_text(encoding="utf-8")
IMAGE_BYTES = 150_000


def endings() -> set[str]:
    """Every name that a state of a flow is given."""
    found = set()
    for path in (CHECKOUT / "flows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {name for name in _names(node) if re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*", name)}
    return found


def _names(node: ast.AST) -> Iterator[str]:
    """Texts given to a keyword or a variable `name`."""
    named = isinstance(node, ast.keyword) and node.arg == "name"
    if isinstance(node, ast.Assign):
        named = any(isinstance(target, ast.Name) and target.id == "name" for target in node.targets)
    if named and isinstance(node, ast.keyword | ast.Assign):
        for part in ast.walk(node.value):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def described() -> dict[str, str]:
    """Every ending in the page's table, with what to do."""
    table = re.search(r"<!-- endings -->(.*)<!-- end of endings -->", TEXT, re.DOTALL)
    assert table
    rows = [row.split("|") for row in table[1].strip().splitlines()[2:]]
    return {row[1].strip(" `"): row[4].strip() for row in rows}


def test_the_page_has_every_ending_and_no_other() -> None:
    assert endings() >= {"Exported", "ValidationFailed", "ExportFailed", "Ready"}, (
        "they are found in the code"
    )
    assert set(described()) == endings()
    assert all(described().values()), "each says what to do"


def test_the_deployments_descriptions_name_endings_that_there_are() -> None:
    described_there = (CHECKOUT / "prefect.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", described_there))
    assert named >= {"ExportedWithErrors", "ValidationFailed"}
    assert named <= endings()


def test_every_artifact_and_every_field_of_the_form_is_told_of() -> None:
    keys = {value for name, value in vars(presentation).items() if name.endswith("_KEY")}
    assert [key for key in keys - {presentation.PROGRESS_KEY} if f"`{key}`" not in TEXT] == []
    fields = inspect.signature(export_job.fn).parameters
    assert [field for field in fields if f"| `{field}` |" not in TEXT] == []


def test_every_image_is_shown_and_small() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\((images/[a-z-]+\.png)\)", TEXT))
    kept = {f"images/{path.name}" for path in (CHECKOUT / "docs" / "images").glob("*.png")}
    assert shown == kept
    for name in kept:
        assert (CHECKOUT / "docs" / name).stat().st_size < IMAGE_BYTES, name
