import itertools

import pytest

from flows.rules.lifecycle import TRANSITIONS, IllegalTransition, Lifecycle, Move, Stage

# Written out once more, by hand, from the design's table: a slip in the product's table shows here.
LEGAL = {
    ("DETECTED", "STARTED"),
    ("DETECTED", "ENDED_ELSEWHERE"),
    ("DETECTED", "NOT_OURS"),
    ("STARTED", "REACHABLE"),
    ("STARTED", "VALIDATION_FAILED"),
    ("REACHABLE", "AUTHENTICATED"),
    ("REACHABLE", "VALIDATION_FAILED"),
    ("AUTHENTICATED", "WRITABLE"),
    ("AUTHENTICATED", "VALIDATION_FAILED"),
    ("WRITABLE", "ITEMS_FETCHED"),
    ("WRITABLE", "VALIDATION_FAILED"),
    ("WRITABLE", "ENDED_ELSEWHERE"),
    ("VALIDATION_FAILED", "FAILURE_REPORTED"),
    ("VALIDATION_FAILED", "FAILURE_NOT_REPORTED"),
    ("VALIDATION_FAILED", "ENDED_ELSEWHERE"),
    ("ITEMS_FETCHED", "BOOKED"),
    ("ITEMS_FETCHED", "ENDED_ELSEWHERE"),
    ("ITEMS_FETCHED", "JOB_FAILED"),
    ("BOOKED", "RESULTS_REPORTED"),
    ("BOOKED", "ENDED_ELSEWHERE"),
    ("BOOKED", "JOB_FAILED"),
    ("RESULTS_REPORTED", "COMPLETED"),
    ("RESULTS_REPORTED", "JOB_FAILED"),
    ("RESULTS_REPORTED", "ENDED_ELSEWHERE"),
}


def path_to(stage: Stage) -> list[Stage]:
    """A legal way from DETECTED to a stage."""
    paths = [[Stage.DETECTED]]
    while paths:
        path = paths.pop(0)
        if path[-1] is stage:
            return path
        paths += [[*path, following] for following in TRANSITIONS[path[-1]]]
    raise AssertionError(f"no way leads to {stage}")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Stage, Stage)))
def test_every_pair_of_stages(before: Stage, after: Stage) -> None:
    lifecycle = Lifecycle()
    for stage in path_to(before)[1:]:
        lifecycle.move_to(stage)
    if (before, after) in LEGAL:
        lifecycle.move_to(after)
        assert lifecycle.stage is after
    else:
        with pytest.raises(IllegalTransition, match=f"{before} is not followed by {after}"):
            lifecycle.move_to(after)
        assert lifecycle.stage is before, "an illegal move records nothing"


def test_ends_are_the_stages_that_nothing_follows() -> None:
    ends = {stage for stage in Stage if stage not in {before for before, _ in LEGAL}}
    assert {stage for stage in Stage if not TRANSITIONS[stage]} == ends


def test_every_move_is_told_in_order_with_its_time() -> None:
    told: list[Move] = []
    lifecycle = Lifecycle(told.append, "pending in Pleo")
    lifecycle.move_to(Stage.STARTED)
    lifecycle.move_to(Stage.VALIDATION_FAILED, "why")
    assert [(move.stage, move.note) for move in told] == [
        (Stage.DETECTED, "pending in Pleo"),
        (Stage.STARTED, ""),
        (Stage.VALIDATION_FAILED, "why"),
    ]
    assert told == lifecycle.moves
    assert told[0].at <= told[1].at <= told[2].at
    assert not lifecycle.ended
    lifecycle.move_to(Stage.FAILURE_REPORTED)
    assert lifecycle.ended
