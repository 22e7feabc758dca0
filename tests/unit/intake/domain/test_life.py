"""The process engine, by property: whatever is asked in whatever order, only allowed states are reached."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import services.intake
from services.intake.app import load_processes
from services.intake.domain.changes import Closed, Entry, Submitted, change_data, read_change
from services.intake.domain.life import (
    Close,
    EnterStage,
    Life,
    Move,
    MoveRefused,
    Pause,
    Respond,
    Resume,
    State,
    begin,
    decide,
    evolve,
    replay,
)
from services.intake.domain.process import Process
from shared.contracts.payload import RequestKind

PROCESSES = load_processes(Path(services.intake.__file__).parent / "data" / "processes")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

_HANDLERS = st.none() | st.just("s-104")


def moves_of(process: Process) -> st.SearchStrategy[Move]:
    """Every move in the words of the process, and one that it does not know of each."""
    return st.one_of(
        st.builds(EnterStage, st.sampled_from([*process.stages, "nowhere"]), _HANDLERS),
        st.builds(Respond, _HANDLERS),
        st.builds(Pause, st.sampled_from([*process.pause_reasons, "lunch"])),
        st.builds(Resume, st.sampled_from([*process.pause_reasons, "lunch"])),
        st.builds(Close, st.sampled_from([*process.outcomes, "lost"]), _HANDLERS),
    )


kinds = st.sampled_from([PROCESSES.current(kind) for kind in RequestKind])
spans = st.integers(0, 10_000).map(lambda minutes: timedelta(minutes=minutes))
lives = kinds.flatmap(lambda process: st.tuples(st.just(process), st.lists(st.tuples(moves_of(process), spans))))
questions = kinds.flatmap(lambda process: st.tuples(st.just(process), st.lists(moves_of(process)), moves_of(process)))


def begun(process: Process) -> tuple[Life, list[Entry]]:
    submitted = Submitted(process.kind, process.version, process.start)
    return begin(submitted, NOW), [Entry(1, submitted, NOW, NOW, "app")]


def is_allowed(process: Process, life: Life, move: Move) -> bool:
    """The definition read literally, without the engine."""
    if life.closed_at is not None:
        return False
    match move:
        case EnterStage(stage):
            return stage in process.stages[life.stage].next
        case Respond():
            return True
        case Pause(reason):
            return reason in process.pause_reasons and reason not in life.pause_reasons
        case Resume(reason):
            return reason in life.pause_reasons
        case Close(outcome):
            here = process.stages[life.stage].outcomes
            return outcome in (process.outcomes if here is None else here)


@settings(max_examples=200)
@given(lives)
def test_no_sequence_of_moves_reaches_a_forbidden_state_and_the_history_gives_the_state(
    lived: tuple[Process, list[tuple[Move, timedelta]]],
) -> None:
    process, asked = lived
    life, history = begun(process)
    for move, span in asked:
        allowed = is_allowed(process, life, move)
        try:
            change = decide(process, life, move)
        except MoveRefused:
            assert not allowed
            continue
        assert allowed
        before, occurred_at = life, NOW + span
        life = evolve(life, change, occurred_at)
        history.append(Entry(life.version, change, occurred_at, occurred_at, "app"))
        assert life.version == before.version + 1
        assert life.stage in process.stages
        assert len(set(life.pause_reasons)) == len(life.pause_reasons)
        assert set(life.pause_reasons) <= set(process.pause_reasons)
        assert (life.closed_at is None) == (life.outcome is None)
        assert (life.state is State.PAUSED) == bool(life.pause_reasons)
        assert life.state is not State.CLOSED or not life.pause_reasons
        assert before.state is not State.CLOSED
    assert [entry.sequence for entry in history] == list(range(1, len(history) + 1))
    assert replay(history) == life
    stored = [(entry.change.TYPE, json.loads(json.dumps(change_data(entry.change)))) for entry in history]
    assert [read_change(*columns) for columns in stored] == [entry.change for entry in history]


@given(questions)
def test_every_move_that_a_refusal_names_is_allowed(question: tuple[Process, list[Move], Move]) -> None:
    process, asked, move = question
    life, _ = begun(process)
    for earlier in asked:
        if is_allowed(process, life, earlier):
            life = evolve(life, decide(process, life, earlier), NOW)
    try:
        decide(process, life, move)
    except MoveRefused as refused:
        field = refused.field
        if field is None:
            assert life.state is State.CLOSED
            return
        for allowed in refused.allowed:
            decide(process, life, type(move)(**{field: allowed}))


def test_a_request_runs_again_only_when_the_last_reason_to_wait_is_gone() -> None:
    process = PROCESSES.current(RequestKind.CLAIM)
    life, _ = begun(process)
    states = []
    for move in (
        Pause("third_party"),
        Pause("customer_documents"),
        Resume("third_party"),
        Resume("customer_documents"),
    ):
        life = evolve(life, decide(process, life, move), NOW)
        states.append(life.state)
    assert states == [State.PAUSED, State.PAUSED, State.PAUSED, State.OPEN]


def test_a_refusal_of_a_closed_request_says_how_it_ended() -> None:
    process = PROCESSES.current(RequestKind.ENQUIRY)
    life, _ = begun(process)
    life = evolve(life, Closed("answered"), NOW)
    with pytest.raises(MoveRefused, match="closed with outcome answered"):
        decide(process, life, Respond())


def test_a_history_begins_with_one_submission() -> None:
    life, history = begun(PROCESSES.current(RequestKind.ENQUIRY))
    with pytest.raises(ValueError, match="once"):
        evolve(life, history[0].change, NOW)
    with pytest.raises(ValueError, match="begins"):
        replay([Entry(1, Closed("answered"), NOW, NOW, "app")])
