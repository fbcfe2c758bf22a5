"""The life of one export job here: its stages, the table of legal transitions, the record of moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from adapters.texts import plain

NOTE_LIMIT = 500
"""Characters of a note; it can hold a state's name as Pleo wrote it."""


class Stage(StrEnum):
    """How far this integration has come with a job; Pleo's own job states are in `adapters.pleo.models`."""

    DETECTED = "DETECTED"
    STARTED = "STARTED"
    REACHABLE = "REACHABLE"
    AUTHENTICATED = "AUTHENTICATED"
    WRITABLE = "WRITABLE"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    FAILURE_REPORTED = "FAILURE_REPORTED"
    FAILURE_NOT_REPORTED = "FAILURE_NOT_REPORTED"
    ITEMS_FETCHED = "ITEMS_FETCHED"
    BOOKED = "BOOKED"
    RESULTS_REPORTED = "RESULTS_REPORTED"
    COMPLETED = "COMPLETED"
    JOB_FAILED = "JOB_FAILED"
    ENDED_ELSEWHERE = "ENDED_ELSEWHERE"
    NOT_OURS = "NOT_OURS"


TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    stage: frozenset(following)
    for stage, following in {
        Stage.DETECTED: {Stage.STARTED, Stage.ENDED_ELSEWHERE, Stage.NOT_OURS},
        Stage.STARTED: {Stage.REACHABLE, Stage.VALIDATION_FAILED},
        Stage.REACHABLE: {Stage.AUTHENTICATED, Stage.VALIDATION_FAILED},
        Stage.AUTHENTICATED: {Stage.WRITABLE, Stage.VALIDATION_FAILED},
        # A user may cancel while the checks run; the first call to Pleo after them learns it (L28, L60).
        Stage.WRITABLE: {Stage.ITEMS_FETCHED, Stage.VALIDATION_FAILED, Stage.ENDED_ELSEWHERE},
        Stage.VALIDATION_FAILED: {Stage.FAILURE_REPORTED, Stage.FAILURE_NOT_REPORTED, Stage.ENDED_ELSEWHERE},
        Stage.ITEMS_FETCHED: {Stage.BOOKED, Stage.ENDED_ELSEWHERE, Stage.JOB_FAILED},
        Stage.BOOKED: {Stage.RESULTS_REPORTED, Stage.ENDED_ELSEWHERE, Stage.JOB_FAILED},
        Stage.RESULTS_REPORTED: {Stage.COMPLETED, Stage.JOB_FAILED, Stage.ENDED_ELSEWHERE},
        Stage.FAILURE_REPORTED: set(),
        Stage.FAILURE_NOT_REPORTED: set(),
        Stage.COMPLETED: set(),
        Stage.JOB_FAILED: set(),
        Stage.ENDED_ELSEWHERE: set(),
        Stage.NOT_OURS: set(),
    }.items()
}
"""From each stage to the stages that may follow it; an end has none."""


class IllegalTransition(Exception):
    """A move that the table does not allow: a defect of ours, never a matter of Pleo or the user."""

    def __init__(self, before: Stage, after: Stage) -> None:
        super().__init__(f"{before} is not followed by {after}")


@dataclass(frozen=True, slots=True)
class Move:
    """One stage reached, the moment (UTC), and what is worth knowing about it, on one line."""

    stage: Stage
    at: datetime
    note: str = ""


def _nobody(_move: Move) -> None:
    return


@dataclass
class Lifecycle:
    """The stages that one job went through; it begins as DETECTED, when the job was read.

    Attributes:
        on_move: told of every move, the first one too; it logs, emits events and so on.
        note: what is worth knowing about the job's detection.

    """

    on_move: Callable[[Move], None] = _nobody
    note: str = ""
    moves: list[Move] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._record(Stage.DETECTED, self.note)

    @property
    def stage(self) -> Stage:
        """The stage reached last."""
        return self.moves[-1].stage

    @property
    def ended(self) -> bool:
        """Whether no stage can follow."""
        return not TRANSITIONS[self.stage]

    def move_to(self, stage: Stage, note: str = "") -> None:
        """Reach the next stage.

        Raises:
            IllegalTransition: the table has no such move; nothing is recorded.

        """
        if stage not in TRANSITIONS[self.stage]:
            raise IllegalTransition(self.stage, stage)
        self._record(stage, note)

    def _record(self, stage: Stage, note: str) -> None:
        move = Move(stage, datetime.now(UTC), plain(note, NOTE_LIMIT))
        self.moves.append(move)
        self.on_move(move)
