"""The checks change nothing in the books, and nobody's edit is lost to them.

What they may change is one modification time, see `adapters.accounting.fava.write_probe`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.accounting.cautions import CautionKind
from adapters.accounting.contract import Check, Verdict
from adapters.accounting.failures import FailureKind
from flows.rules.readiness import Readiness
from tests.adapters.accounting.fava.checking import (
    AMPLE,
    assert_ready,
    checked,
    checks_of,
    failure_at,
    opened,
)
from tests.support import steps
from tests.support.fava_server import SLUG, FavaServer, ledger_text
from tests.support.scripted_server import ScriptedServer

PLAIN = ledger_text().encode()
TEXTS = {
    "plain": PLAIN,
    "no last line end": PLAIN.rstrip(),
    "empty lines at both ends": b"\n\n" + PLAIN + b"\n\n\n",
    "Windows line ends": PLAIN.replace(b"\n", b"\r\n"),
    "tabs, trailing blanks, umlauts": PLAIN
    + "\n;\tüöä ✓  \t\n; \N{GRINNING FACE} e\u0301 \u2028 \x0c\n".encode(),
    "hundreds of entries": ledger_text(400).encode(),
}


class Trace(NamedTuple):
    """All that a folder shows of its files, but for when they were written."""

    content: bytes
    inode: int
    mode: int


def traces(folder: Path) -> dict[str, Trace]:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(folder))] = Trace(content, status.st_ino, status.st_mode)
    return found


def written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def count(fava: FavaServer) -> object:
    """How many postings Fava itself finds."""
    fava.ask("changed")
    rows = fava.ask("query?query_string=select%20count(*)")["rows"]
    assert rows[0][0] > 0
    return rows


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_the_files_stay_as_they_are(fava: FavaServer, text: bytes) -> None:
    folder = fava.ledger.parent
    (folder / "documents").mkdir()
    (folder / "included.beancount").write_bytes(b"; not written by Fava\r\n")
    end = b"\r\n" if b"\r\n" in text else b"\n"
    fava.ledger.write_bytes(b'include "included.beancount"' + end + text)
    before, before_count = traces(folder), count(fava)
    async with opened(fava.url) as system:
        for _ in range(3):
            assert_ready(await checked(system))
    assert traces(folder) == before
    assert count(fava) == before_count


async def test_only_the_write_probe_touches_a_time(fava: FavaServer) -> None:
    folder = fava.ledger.parent
    (folder / "included.beancount").write_text("; not written by Fava\n")
    fava.ledger.write_text(ledger_text() + '\ninclude "included.beancount"\n')
    before = written(folder)
    async with opened(fava.url) as system:
        readiness = Readiness(system, AMPLE, AMPLE)
        for check in (Check.REACHABILITY, Check.AUTH):
            assert (await readiness.run(check)).passed
            assert written(folder) == before
        assert (await readiness.run(Check.WRITABILITY)).passed
    after = written(folder)
    assert {name for name in before if before[name] != after[name]} == {"books.beancount"}


@pytest.mark.parametrize("contra", ["Assets:Unknown", "Assets:Old"])
async def test_nothing_is_written_before_all_else_was_proved(fava: FavaServer, contra: str) -> None:
    folder = fava.ledger.parent
    before, times = traces(folder), written(folder)
    outcomes = await checks_of(fava.url, contra=contra)
    failure_at(outcomes, Check.WRITABILITY, FailureKind.CONFIGURATION_MISSING)
    assert (traces(folder), written(folder)) == (before, times)


async def test_nothing_is_written_in_read_only_mode(own_fava: FavaServer) -> None:
    own_fava.restart("--read-only")
    folder = own_fava.ledger.parent
    before, times = traces(folder), written(folder)
    failure_at(await checks_of(own_fava.url), Check.WRITABILITY, FailureKind.READ_ONLY)
    assert (traces(folder), written(folder)) == (before, times)


class Editor:
    """Someone who edits the ledger in the very instant before Fava is handed its text back."""

    def __init__(self, ledger: Path, edits: int) -> None:
        self.ledger = ledger
        self.edits = edits
        self.lines: list[str] = []

    def __call__(self, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/api/source") and len(self.lines) < self.edits:
            self.lines.append(f"2024-01-{1 + len(self.lines):02} open Assets:Edit{len(self.lines)}\n")
            with self.ledger.open("a") as file:
                file.write(self.lines[-1])


@pytest.mark.parametrize(("edits", "proved"), [(1, True), (2, True), (3, False)])
async def test_no_edit_is_lost(fava: FavaServer, between: ScriptedServer, edits: int, proved: bool) -> None:
    between.before_passing = editor = Editor(fava.ledger, edits)
    async with opened(between.url(f"/{SLUG}")) as system:
        outcomes = await checked(system)
        assert fava.ledger.read_text() == ledger_text() + "".join(editor.lines)
        assert len(editor.lines) == edits
        if proved:
            assert_ready(outcomes)
        else:
            assert outcomes[-1].verdict is Verdict.WARNING
            assert [caution.kind for caution in outcomes[-1].cautions] == [CautionKind.STORAGE_UNPROVED]
        assert_ready(await checked(system))
    assert fava.ledger.read_text() == ledger_text() + "".join(editor.lines)


async def test_a_text_that_was_altered_on_its_way_is_not_written_back(
    fava: FavaServer, between: ScriptedServer
) -> None:
    true_source = fava.ask(f"source?filename={fava.ledger}")
    altered = {**true_source, "source": true_source["source"].replace("Pleo", "Oelp")}
    between.let_pass(6)
    between.play(steps.answer(200, json.dumps({"data": altered, "mtime": "1"}).encode()))
    async with opened(between.url(f"/{SLUG}")) as system:
        failure_at(await checked(system), Check.WRITABILITY, FailureKind.NOT_THE_SYSTEM)
        assert "/api/source?" in between.requests[-1].path
        assert fava.ledger.read_text() == ledger_text()
        assert_ready(await checked(system))
