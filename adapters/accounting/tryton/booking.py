"""Books entries in Tryton: drafts in batches, all of a batch or none, and each then posted if it is to be.

Tryton does not mind two entries with one reference, and goes on with a request whose sender is gone: it
sets writes no time limit of its own, unlike reads (`[request] timeout`, 60 s). So no entry is created that
a look-up finds, none is sent twice, and where an answer was lost the books are looked at again and again
for as long as one request may take. What is not there by then may still come: it is `Uncertain`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from adapters.accounting.booking import Booked, BookingResult, Entry, Posting, Refused, Uncertain
from adapters.accounting.contract import CheckFailed
from adapters.accounting.item_failures import ItemFailure
from adapters.accounting.tryton.client import TrytonClient, TrytonRefusal
from adapters.accounting.tryton.entries import is_unfinished, look_up, values_of
from adapters.accounting.tryton.ground import Ground, Place, flaw_of, survey
from adapters.accounting.tryton.records import Move
from adapters.accounting.tryton.refusals import Sentence, in_words, not_posted, of_system, refused
from adapters.accounting.tryton.rights import prove_rights
from adapters.accounting.tryton.settling import Guard, LookUps, has_not_run
from adapters.faults import HttpFault

BATCH_SIZE = 100

Link = Callable[[Move], str | None]


class _Refusal(Exception):
    """Tryton certainly did not create a batch, because of what is in it."""

    def __init__(self, failure: ItemFailure) -> None:
        self.failure = failure


class _Stop(Exception):
    """Nothing more may be sent.

    Attributes:
        failure: why.
        has_not_run: whether the batch at hand was certainly not created; else it has its results.

    """

    def __init__(self, failure: ItemFailure, *, has_not_run: bool) -> None:
        self.failure = failure
        self.has_not_run = has_not_run


class Booking:
    """One batch on its way into Tryton; used once.

    Args:
        client: of the database.
        guard: for reads.
        place: company and journal.
        link: gives the address of an entry for people.
        patience: seconds for which the books are looked at again after a lost answer.

    """

    def __init__(
        self, client: TrytonClient, guard: Guard, place: Place, *, link: Link, patience: float
    ) -> None:
        self._client = client
        self._guard = guard
        self._place = place
        self._link = link
        self._look_ups = LookUps(client, guard, place)
        self._patience = patience
        self._results: dict[UUID, BookingResult] = {}
        self._to_post: list[tuple[Entry, Move]] = []
        self._rights_proved = False

    async def book(self, entries: Sequence[Entry]) -> list[BookingResult]:
        """Book the entries; one result each, in their order.

        Raises:
            ValueError: more than `BATCH_SIZE`, or two of one reference: a defect of the caller.

        """
        references = {entry.reference for entry in entries}
        if len(entries) > BATCH_SIZE or len(references) != len(entries):
            raise ValueError(f"a batch has at most {BATCH_SIZE} entries, each of another reference")
        codes = {line.account for entry in entries for line in entry.lines}
        try:
            async with self._guard():
                ground = await survey(self._client, self._place, codes)
                there = await look_up(self._client, ground.company, references)
        except CheckFailed as failed:
            return [Refused(entry.reference, of_system(failed)) for entry in entries]
        await self._create(self._fresh(entries, ground, there), ground)
        await self._post()
        return [self._results[entry.reference] for entry in entries]

    def _fresh(self, entries: Sequence[Entry], ground: Ground, there: Mapping[UUID, Move]) -> list[Entry]:
        """Give the entries that are to be created; the others get their results."""
        fresh = []
        for entry in entries:
            if move := there.get(entry.reference):
                self._found(entry, move)
            elif flaw := flaw_of(entry, ground, self._place):
                self._results[entry.reference] = Refused(entry.reference, flaw)
            else:
                fresh.append(entry)
        return fresh

    def _found(self, entry: Entry, move: Move, at: dt.datetime | None = None) -> None:
        """Take a draft that is to be booked for good as one to post, every other entry as booked."""
        self._book(entry, move, at)
        if entry.posting is Posting.FINAL and is_unfinished(move):
            self._to_post.append((entry, move))

    def _book(self, entry: Entry, move: Move, at: dt.datetime | None) -> None:
        self._results[entry.reference] = Booked(entry.reference, move.name, self._link(move), at)

    def _refuse(self, entries: Collection[Entry], failure: ItemFailure) -> None:
        self._results.update({entry.reference: Refused(entry.reference, failure) for entry in entries})

    async def _create(self, entries: Sequence[Entry], ground: Ground) -> None:
        """Create drafts. A batch that Tryton refuses is halved until what it refuses stands alone."""
        waiting = [list(entries)] if entries else []
        while waiting:
            batch = waiting.pop(0)
            try:
                await self._create_all_or_none(batch, ground)
            except _Refusal as refusal:
                middle = len(batch) // 2
                if middle:
                    waiting[:0] = [batch[:middle], batch[middle:]]
                else:
                    self._refuse(batch, refusal.failure)
            except _Stop as stop:  # what is wrong is wrong for all
                unsent = [
                    *(batch if stop.has_not_run else ()),
                    *(each for later in waiting for each in later),
                ]
                self._refuse(unsent, stop.failure)
                return

    async def _create_all_or_none(self, batch: Sequence[Entry], ground: Ground) -> None:
        values = [values_of(entry, ground) for entry in batch]
        try:
            ids = await self._client.create("account.move", values)
        except TrytonRefusal as refusal:
            await self._prove_rights()
            raise _Refusal(in_words(refusal)) from None
        except HttpFault as fault:
            if fault.status == 413:
                raise _Refusal(refused(Sentence.TOO_LARGE)) from None
            if fault.status == 403:
                await self._prove_rights()
                raise _Refusal(refused(Sentence.UNEXPLAINED)) from None
            if has_not_run(fault):
                raise _Stop(of_system(fault), has_not_run=True) from None
            await self._settle(batch, fault)
        else:
            for entry, number, sent in zip(batch, ids, values, strict=True):
                self._found(entry, Move(id=number, description=sent["description"]), _now())

    async def _prove_rights(self) -> None:
        """Tell a refusal of an entry from one of the user, which would be the same for every entry."""
        if self._rights_proved:
            return
        try:
            async with self._guard():
                await prove_rights(self._client)
        except CheckFailed as failed:
            raise _Stop(of_system(failed), has_not_run=True) from None
        self._rights_proved = True

    async def _settle(self, batch: Sequence[Entry], fault: HttpFault) -> None:
        """Find out what became of a batch whose answer was lost."""
        missing = {entry.reference: entry for entry in batch}
        async for there in self._look_ups(missing, self._patience):
            for reference, move in (there or {}).items():
                self._found(missing.pop(reference), move, _now())
            if not missing:
                return
            if there is not None and fault.status == 500:  # Tryton's answer to a defect of it, rolled back
                raise _Refusal(refused(Sentence.UNEXPLAINED))
        failure = of_system(fault)
        self._results.update({reference: Uncertain(reference, failure) for reference in missing})
        raise _Stop(failure, has_not_run=False)

    async def _post(self) -> None:
        """Post drafts one by one: Tryton takes no list of them over REST. Posting twice does no harm."""
        waiting = list(self._to_post)
        while waiting:
            entry, draft = waiting.pop(0)
            try:
                move = await self._client.press("account.move", draft.id, "post", Move)
                words = ""
            except (TrytonRefusal, HttpFault) as problem:
                fault = problem if isinstance(problem, HttpFault) else None
                if fault and fault.status in {403, 500}:  # Tryton's own no, without a reason
                    fault = None
                if fault and has_not_run(fault):
                    self._refuse([entry, *(entry for entry, _ in waiting)], of_system(fault))
                    return
                words = problem.words if isinstance(problem, TrytonRefusal) else _without_words(problem)
                move = await self._read_back(entry, draft, self._patience if fault else 0)
                if fault and not move.posted:
                    self._results[entry.reference] = Uncertain(entry.reference, of_system(fault))
                    self._refuse([entry for entry, _ in waiting], of_system(fault))
                    return
            if move.posted:
                self._book(entry, move, _now())
            else:
                self._refuse([entry], not_posted(words))

    async def _read_back(self, entry: Entry, draft: Move, patience: float) -> Move:
        """Read a draft that was to be posted, until it is posted or time is up."""
        async for there in self._look_ups([entry.reference], patience):
            if there and there[entry.reference].posted:
                return there[entry.reference]
        return draft


def _without_words(fault: HttpFault) -> str:
    return Sentence.MAY_NOT_POST.value if fault.status == 403 else ""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
