"""A ledger that takes entries is ready, whichever of its addresses the connection names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.accounting.contract import Check
from adapters.accounting.failures import FailureKind
from tests.adapters.accounting.fava.checking import assert_ready, checked, checks_of, failure_at, opened
from tests.support.fava_server import SLUG, FavaServer, ledger_text


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FavaServer]:
    ledger = tmp_path_factory.mktemp("prefixed") / "books.beancount"
    ledger.write_text(ledger_text())
    with FavaServer(ledger, arguments=("--prefix", "/accounting")) as server:
        yield server


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FavaServer]:
    folder: Path = tmp_path_factory.mktemp("several")
    first, second = folder / "first.beancount", folder / "second.beancount"
    first.write_text(ledger_text())
    second.write_text(ledger_text(title="Other Books"))
    with FavaServer(first, second) as server:
        yield server


@pytest.mark.parametrize("path", ["", "/", f"/{SLUG}", f"/{SLUG}/"])
async def test_the_address_may_name_the_ledger_or_not(fava: FavaServer, path: str) -> None:
    assert_ready(await checks_of(fava.origin + path))


async def test_the_checks_can_be_repeated(fava: FavaServer) -> None:
    async with opened(fava.url) as system:
        for _ in range(3):
            assert_ready(await checked(system))


async def test_an_account_that_the_ledger_has_is_found(fava: FavaServer) -> None:
    assert_ready(await checks_of(fava.url, wallet="Assets:Pleo", out_of_pocket="Liabilities:Employees"))


@pytest.mark.parametrize("path", ["/accounting", "/accounting/", f"/accounting/{SLUG}"])
async def test_a_prefix_belongs_to_the_address(prefixed: FavaServer, path: str) -> None:
    assert_ready(await checks_of(prefixed.origin + path))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        # Outside its prefix Fava answers everything with an empty 200, as any other server might.
        ("", FailureKind.NOT_THE_SYSTEM),
        (f"/{SLUG}", FailureKind.NOT_THE_SYSTEM),
        ("/accounting/other-books", FailureKind.WRONG_ADDRESS),
    ],
)
async def test_an_address_beside_the_prefix_or_the_ledger(
    prefixed: FavaServer, path: str, kind: FailureKind
) -> None:
    failure = failure_at(await checks_of(prefixed.origin + path), Check.REACHABILITY, kind)
    assert "address" in failure.cause
    assert_ready(await checks_of(prefixed.origin + "/accounting"))


@pytest.mark.parametrize("slug", [SLUG, "other-books"])
async def test_of_several_ledgers_each_can_be_named(several: FavaServer, slug: str) -> None:
    assert_ready(await checks_of(f"{several.origin}/{slug}"))


async def test_of_several_ledgers_one_must_be_named(several: FavaServer) -> None:
    outcomes = await checks_of(several.origin)
    failure = failure_at(outcomes, Check.REACHABILITY, FailureKind.WRONG_ADDRESS)
    assert failure.evidence == "several ledgers, and the address names none"
    assert_ready(await checks_of(several.url))
