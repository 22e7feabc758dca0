from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Event, Tombstone
from shared.errors import CircuitOpen
from shared.ids import new_id
from shared.inbox.breaker import RejectBreaker
from shared.inbox.received import Received
from shared.inbox.sequences import sort_out
from shared.kafka.records import Record
from shared.testing.plumbing import pause_event

SUBJECTS = [UUID(int=n) for n in range(1, 4)]
SOURCE = "/punctual/intake"


def received(subject: UUID, sequence: int, replay_of: str | None = None) -> Received:
    return Received(pause_event(subject, sequence), Record("punctual.requests", 0, 0, b"", b"", ()), replay_of)


@given(st.lists(st.tuples(st.sampled_from(SUBJECTS), st.integers(1, 6)), max_size=40), st.integers(0, 40))
def test_however_a_stream_is_cut_into_batches_the_same_events_are_fresh(
    arrivals: list[tuple[UUID, int]], cut: int
) -> None:
    batch = [received(*arrival) for arrival in arrivals]
    whole = sort_out(batch, {})
    first = sort_out(batch[:cut], {})
    second = sort_out(batch[cut:], first.last)
    assert (*first.fresh, *second.fresh) == whole.fresh
    assert first.repeats + second.repeats == whole.repeats
    assert first.gaps + second.gaps == whole.gaps
    assert first.last | second.last == whole.last


@given(st.lists(st.tuples(st.sampled_from(SUBJECTS), st.integers(1, 6)), max_size=40))
def test_sequences_of_what_is_fresh_only_grow(arrivals: list[tuple[UUID, int]]) -> None:
    fresh = sort_out([received(*arrival) for arrival in arrivals], {}).fresh
    for subject in SUBJECTS:
        numbers = [r.event.sequence for r in fresh if isinstance(r.event, Event) and r.event.subject == subject]
        assert numbers == sorted(set(numbers))


def test_a_repeat_is_dropped_and_a_gap_is_counted_but_handled() -> None:
    subject = SUBJECTS[0]
    result = sort_out([received(subject, n) for n in (2, 3, 3, 5)], {(SOURCE, subject): 2})
    assert [r.event.sequence for r in result.fresh if isinstance(r.event, Event)] == [3, 5]
    assert (len(result.repeats), len(result.gaps)) == (2, 1)
    assert result.last == {(SOURCE, subject): 5}


def test_a_replayed_dead_letter_is_fresh_and_moves_no_sequence() -> None:
    subject = SUBJECTS[0]
    result = sort_out([received(subject, 1, "some letter")], {(SOURCE, subject): 7})
    assert len(result.fresh) == 1
    assert result.last == {}


def test_a_tombstone_has_no_sequence() -> None:
    erased = Received(Tombstone(new_id()), Record("punctual.contacts", 0, 0, b"", None, ()))
    assert sort_out([erased, erased], {}).fresh == (erased, erased)


def test_a_few_rejects_do_not_stop_the_program_nor_does_a_steady_third() -> None:
    few, third = RejectBreaker(), RejectBreaker()
    few.record(handled=0, rejected=49)
    for _ in range(50):
        third.record(handled=20, rejected=10)


def test_rejects_that_outweigh_the_rest_stop_the_program() -> None:
    breaker = RejectBreaker()
    breaker.record(handled=40, rejected=0)
    with pytest.raises(CircuitOpen, match="60 of the last 100"):
        breaker.record(handled=0, rejected=60)


def test_a_share_of_one_never_stops_the_program() -> None:
    RejectBreaker(1.0).record(handled=0, rejected=500)
