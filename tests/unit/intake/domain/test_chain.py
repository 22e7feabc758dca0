"""The chain of hashes: whatever is changed afterwards is found, at the first entry that is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.chain import find_break, hash_entry
from services.intake.domain.changes import Noted, Paused, Responded, Submitted
from services.intake.domain.history import Entry
from shared.contracts.payload import RequestKind

NOW = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC)
REQUEST = UUID(int=7)


def chained(length: int, first_hashed: int = 1) -> list[Entry]:
    history: list[Entry] = []
    before: bytes | None = None
    for number in range(1, length + 1):
        change = Submitted(RequestKind.CLAIM, 1, "received") if number == 1 else Responded(f"s-{number}")
        entry = Entry(number, change, NOW + timedelta(minutes=number), NOW + timedelta(minutes=number), "app")
        before = hash_entry(REQUEST, entry, before) if number >= first_hashed else None
        history.append(replace(entry, hash=before))
    return history


EDITS = {
    "change": lambda entry: replace(entry, change=Paused("third_party")),
    "handler": lambda entry: replace(entry, change=Noted("s-999")),
    "occurred_at": lambda entry: replace(entry, occurred_at=entry.occurred_at + timedelta(microseconds=1)),
    "recorded_at": lambda entry: replace(entry, recorded_at=entry.recorded_at - timedelta(days=1)),
    "by": lambda entry: replace(entry, by="web"),
    "cause": lambda entry: replace(entry, cause="rule:small"),
    "hash": lambda entry: replace(entry, hash=bytes(32)),
    "no hash": lambda entry: replace(entry, hash=None),
}


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(sorted(EDITS)))
def test_every_edit_is_found_where_it_was_made(length: int, edited: int, what: str) -> None:
    history = chained(length)
    head = history[-1].hash
    assert find_break(REQUEST, history, head) is None
    edited = min(edited, length)
    history[edited - 1] = EDITS[what](history[edited - 1])
    found = find_break(REQUEST, history, head)
    assert found is not None
    if what == "no hash" and edited == 1:  # it passes for an entry older than the chain; the one behind it does not
        assert found.sequence == (2 if length > 1 else 0)
    else:
        assert found.sequence == edited


@given(st.integers(2, 12), st.integers(1, 12))
def test_an_entry_that_was_taken_out_is_found(length: int, lost: int) -> None:
    history = chained(length)
    head = history[-1].hash
    lost = min(lost, length)
    del history[lost - 1]
    found = find_break(REQUEST, history, head)
    assert found is not None
    assert found.sequence == (lost if lost < length else 0)


def test_a_history_of_another_request_proves_nothing() -> None:
    history = chained(3)
    found = find_break(UUID(int=8), history, history[-1].hash)
    assert found is not None
    assert found.sequence == 1


def test_entries_older_than_the_chain_are_passed_over_and_the_rest_is_proved() -> None:
    history = chained(6, first_hashed=4)
    assert find_break(REQUEST, history, history[-1].hash) is None
    history[4] = replace(history[4], by="web")
    found = find_break(REQUEST, history, history[-1].hash)
    assert found is not None
    assert found.sequence == 5


def test_the_way_of_writing_an_entry_stays_as_it_is() -> None:
    """Another way of writing would make every stored history look edited."""
    (entry,) = chained(1)
    assert entry.hash is not None
    assert entry.hash.hex() == "127b0f819c9b5bd0904a2976ee3b2cc898ca464ec17a7bf955908de16d8aaa4a"
