"""What one request gathers has an end, whatever is called, and never one that keeps it from being ended."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.bounds import MOST_ATTRIBUTES, MOST_AWAITED, MOST_ENTRIES, RESERVED, TooMuch, check_room
from services.intake.domain.deciding import decide
from services.intake.domain.life import Life, State, evolve
from services.intake.domain.moves import Move
from services.intake.domain.refusing import MoveRefused
from tests.unit.intake.domain.test_life import NOW, begun
from tests.unit.intake.shipped import process_of

CLAIM = process_of("claim")
NEW = UUID(int=9)


def moved(life: Life, move: Move) -> Life:
    for change in decide(CLAIM, life, move, NOW):
        life = evolve(life, change, NOW)
    return life


def with_attributes(count: int) -> Life:
    return replace(begun(CLAIM)[0], attributes={f"a{number}": number for number in range(count)})


@given(
    st.lists(st.dictionaries(st.integers(0, 200).map(lambda n: f"a{n}"), st.integers(0, 9), max_size=64), max_size=8)
)
def test_changes_bring_no_request_more_attributes_than_a_submission_may_have(given_ones: list[dict[str, int]]) -> None:
    life = begun(CLAIM)[0]
    for attributes in given_ones:
        together = len(life.attributes.keys() | attributes.keys())
        try:
            life = moved(life, moves.ChangeFacts("called", attributes=attributes))
        except MoveRefused:
            continue
        except TooMuch:
            assert together > MOST_ATTRIBUTES
        assert len(life.attributes) <= MOST_ATTRIBUTES


def test_who_has_more_attributes_from_before_can_still_have_them_changed() -> None:
    life = with_attributes(MOST_ATTRIBUTES + 9)
    assert moved(life, moves.ChangeFacts("called", attributes={"a1": 5})).attributes["a1"] == 5
    with pytest.raises(TooMuch, match="74 attributes; at most 64") as refused:
        moved(life, moves.ChangeFacts("called", attributes={"new": 5}))
    assert refused.value.field == "attributes"
    full = moved(with_attributes(MOST_ATTRIBUTES - 1), moves.ChangeFacts("called", attributes={"new": 5}))
    assert len(full.attributes) == MOST_ATTRIBUTES


def test_no_more_documents_are_asked_for_at_a_time_whatever_the_reasons_are() -> None:
    life = moved(begun(CLAIM)[0], moves.Pause("customer_documents", tuple(f"d{n}" for n in range(MOST_AWAITED))))
    for reason in ("customer_documents", "third_party"):
        with pytest.raises(TooMuch, match="at most 64") as refused:
            moved(life, moves.Pause(reason, ("one_more",)))
        assert refused.value.field == "documents"
    life = moved(moved(life, moves.Pause("third_party")), moves.ReceiveDocuments(("d1",)))
    assert "one_more" in moved(life, moves.Pause("third_party", ("one_more",))).awaited["third_party"]


ADDING: list[Move] = [
    moves.ReceiveMessage(),
    moves.Note(),
    moves.Attach(NEW, "application/pdf", 12, "0" * 64),
    moves.Pause("third_party"),
    moves.Extend("resolution", 60, "expert", "s-1"),
    moves.SplitOff(NEW),
    moves.InformCustomer(),
    moves.ReceiveDocuments(("receipts",)),
    moves.Signal("all_there"),
    moves.Complain(NEW),
    moves.Absorb(NEW),
    moves.GiveFeedback(5),
]
LEADING: list[Move] = [
    moves.Acknowledge(),
    moves.Assign("north"),
    moves.EnterStage("assessment"),
    moves.LeaveStage(),
    moves.RecordControl("cover_checked", is_passed=True),
    moves.Respond(),
    moves.Resume("third_party"),
    moves.ChangeFacts("called"),
    moves.Reopen("new_evidence"),
    moves.FollowProcess(CLAIM, "newer", "claim"),
]
SETTLING: list[Move] = [
    moves.Close("paid"),
    moves.Cancel("duplicate"),
    moves.MergeInto(NEW),
    moves.ConfirmFinding("late", "asked"),
    moves.DismissFinding("late", "asked"),
]


def test_every_move_is_of_one_sort() -> None:
    assert sorted(type(move).__name__ for move in (*ADDING, *LEADING, *SETTLING)) == sorted(
        move.__name__ for move in Move.__args__
    )


@pytest.mark.parametrize(
    ("sort", "most"), [(ADDING, MOST_ENTRIES), (LEADING, MOST_ENTRIES + RESERVED), (SETTLING, None)]
)
@pytest.mark.parametrize("ended_as", [None, State.CLOSED])
def test_a_long_history_takes_what_brings_the_request_to_its_end_and_then_only_the_end(
    sort: list[Move], most: int | None, ended_as: State | None
) -> None:
    for move in sort:
        life = replace(begun(CLAIM)[0], ended_as=ended_as)
        check_room(replace(life, version=10**6 if most is None else most - 1), move)
        if most is not None:
            with pytest.raises(MoveRefused, match=f"has {most} entries") as refused:
                check_room(replace(life, version=most), move)
            assert refused.value.code == "history_full"


def test_only_the_first_answer_in_substance_is_taken_of_what_is_reserved() -> None:
    full = replace(begun(CLAIM)[0], version=MOST_ENTRIES)
    check_room(full, moves.Respond())
    with pytest.raises(MoveRefused, match="has 2000 entries"):
        check_room(replace(full, is_responded=True), moves.Respond())


def test_who_cannot_merge_into_a_full_history_is_told_which_of_the_two_is_meant() -> None:
    full = replace(begun(CLAIM)[0], version=MOST_ENTRIES)
    check_room(full, moves.MergeInto(NEW))
    with pytest.raises(MoveRefused, match="it would be merged into has 2000 entries") as refused:
        check_room(full, moves.Absorb(NEW))
    assert refused.value.field == "into"
