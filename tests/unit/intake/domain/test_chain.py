"""The chain of hashes: whatever is changed afterwards is found, at the first entry that is wrong."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.chain import chain, find_break, hash_entry, is_identified
from services.intake.domain.changes import Noted, Paused, Responded, Submitted
from services.intake.domain.history import Entry
from services.intake.domain.identity import Identity, hash_external_id
from shared.contracts.payload import Language, Market, RequestKind

NOW = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC)
REQUEST = UUID(int=7)
IDENTITY = Identity(
    request_id=REQUEST,
    reference="K7M4Q-2XD9C",
    channel="app",
    market=Market.HONG_KONG,
    language=Language.ENGLISH,
    customer_id=UUID(int=8),
    external_id_hash=hash_external_id(bytes(16), "EXT-1"),
)


def chained(length: int) -> list[Entry]:
    """Of a request of today."""
    return list(chain(IDENTITY, older(length, first_hashed=length + 1)))


def older(length: int, first_hashed: int = 1) -> list[Entry]:
    """Of a request from before first entries said who and what it is; without hashes as far as it is older still."""
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
    assert find_break(IDENTITY, history, head) is None
    edited = min(edited, length)
    history[edited - 1] = EDITS[what](history[edited - 1])
    found = find_break(IDENTITY, history, head)
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
    found = find_break(IDENTITY, history, head)
    assert found is not None
    assert found.sequence == (lost if lost < length else 0)


OTHERS: dict[str, Any] = {
    "request_id": UUID(int=9),
    "reference": "K7M4Q-2XD9D",
    "channel": "web",
    "market": Market.TAIWAN,
    "language": Language.TRADITIONAL_CHINESE,
    "customer_id": UUID(int=9),
    "external_id_hash": None,
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_first_entry_says_who_and_what_the_request_is(what: str) -> None:
    history = chained(3)
    assert is_identified(IDENTITY, history)
    other = replace(IDENTITY, **{what: OTHERS[what]})
    found = find_break(other, history, history[-1].hash)
    assert found is not None
    assert found.sequence == 1
    assert not is_identified(other, history)


def test_every_part_of_an_identity_is_tried() -> None:
    assert set(OTHERS) == {one.name for one in fields(Identity)}


@given(st.integers(1, 6), st.sampled_from(sorted(OTHERS.keys() - {"request_id"})))
def test_an_older_request_is_proved_as_before(length: int, what: str) -> None:
    history = older(length)
    head = history[-1].hash
    assert find_break(IDENTITY, history, head) is None
    assert not is_identified(IDENTITY, history)
    assert find_break(replace(IDENTITY, **{what: OTHERS[what]}), history, head) is None
    history[0] = replace(history[0], by="web")
    assert find_break(IDENTITY, history, head) is not None


def test_the_hash_of_an_external_id_tells_nothing_without_its_salt() -> None:
    assert hash_external_id(bytes(16), "EXT-1") != hash_external_id(bytes(15) + b"1", "EXT-1")
    assert hash_external_id(bytes(16), "EXT-1") != hash_external_id(bytes(16), "EXT-2")


def test_a_history_of_another_request_proves_nothing() -> None:
    history = chained(3)
    found = find_break(replace(IDENTITY, request_id=UUID(int=8)), history, history[-1].hash)
    assert found is not None
    assert found.sequence == 1


def test_entries_older_than_the_chain_are_passed_over_and_the_rest_is_proved() -> None:
    history = older(6, first_hashed=4)
    assert find_break(IDENTITY, history, history[-1].hash) is None
    history[4] = replace(history[4], by="web")
    found = find_break(IDENTITY, history, history[-1].hash)
    assert found is not None
    assert found.sequence == 5


def test_the_way_of_writing_an_entry_stays_as_it_is() -> None:
    """Another way of writing would make every stored history look edited."""
    (old,), (new, second) = older(1), chained(2)
    assert [one.hash.hex() if one.hash else None for one in (old, new, second)] == [
        "127b0f819c9b5bd0904a2976ee3b2cc898ca464ec17a7bf955908de16d8aaa4a",
        "cf46f40f21ec771288fa7d1f4d419e078004b9b6ad50401053e9ae5f6f36c011",
        "88f63f0baab992b9ef5f26d7e9070602fb37aab50e53100194be4848804056c4",
    ]
