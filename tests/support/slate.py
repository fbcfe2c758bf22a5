"""An accounting system of the tests: it keeps the contract and behaves as it is told, check by check."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from adapters.accounting.cautions import Caution, CautionKind
from adapters.accounting.contract import Capabilities, Check

Behaviour = Callable[[], Awaitable[Sequence[Caution]]]

ODD = Caution(CautionKind.BOOKS_HAVE_ERRORS, {"system": "Slate", "count": "2"})


async def fine() -> Sequence[Caution]:
    return ()


async def odd() -> Sequence[Caution]:
    return (ODD,)


async def endless() -> Sequence[Caution]:
    await asyncio.Event().wait()
    return ()


def after(seconds: float) -> Behaviour:
    async def behave() -> Sequence[Caution]:
        await asyncio.sleep(seconds)
        return ()

    return behave


def raising(error: BaseException) -> Behaviour:
    async def behave() -> Sequence[Caution]:
        raise error

    return behave


class Slate:
    """See the module's docstring. `asked` notes which checks it was asked for."""

    title = "Slate"

    def __init__(self, behaviour: Mapping[Check, Behaviour] | None = None, *, vendors: bool = False) -> None:
        self.behaviour = dict(behaviour or {})
        self.capabilities = Capabilities(
            journal_entries=True,
            accounts_payable=vendors,
            attachments=None,
            multi_currency=False,
            find_by_reference=True,
            batch_size=1,
        )
        self.asked: list[Check] = []

    async def check_reachability(self) -> Sequence[Caution]:
        return await self._check(Check.REACHABILITY)

    async def check_auth(self) -> Sequence[Caution]:
        return await self._check(Check.AUTH)

    async def check_writability(self) -> Sequence[Caution]:
        return await self._check(Check.WRITABILITY)

    async def aclose(self) -> None:
        pass

    async def _check(self, check: Check) -> Sequence[Caution]:
        self.asked.append(check)
        return await self.behaviour.get(check, fine)()
