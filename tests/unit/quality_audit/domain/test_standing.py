from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.standing import Standing, moved
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload, RequestKind
from shared.contracts.requests import RequestChanged, RequestReopened, RequestResponded

REQUEST = UUID(int=1)
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SUBMITTED = Standing(RequestKind.CLAIM, {"amount": 1_000, "workshop": "HK-017"})


def said(sequence: int, data: Payload) -> Event[Payload]:
    return Event(UUID(int=sequence), "/punctual/intake", REQUEST, sequence, NOW, NOW, "c", "t", data)


def changed(sequence: int, **told: object) -> Event[Payload]:
    return said(sequence, RequestChanged.model_validate({"request_id": REQUEST, "reason": "correction", **told}))


def test_a_change_moves_what_it_tells_and_leaves_the_rest() -> None:
    standing = moved(SUBMITTED, changed(2, attributes={"amount": 1_000_000}))
    assert standing.attributes == {"amount": 1_000_000, "workshop": "HK-017"}
    assert standing.kind is RequestKind.CLAIM
    assert moved(standing, changed(3, kind="complaint")).kind is RequestKind.COMPLAINT


@pytest.mark.parametrize("ahead", [timedelta(minutes=-5), timedelta(minutes=5)])
def test_a_cycle_begins_when_clocks_count_the_reopening(ahead: timedelta) -> None:
    event = replace(said(2, RequestReopened(request_id=REQUEST, reason="new_evidence")), occurred_at=NOW + ahead)
    standing = moved(SUBMITTED, event)
    assert standing.began_at == min(NOW, NOW + ahead)
    assert moved(standing, replace(event, occurred_at=NOW - timedelta(days=1))).began_at == standing.began_at


def test_each_reopening_begins_a_cycle_and_nothing_else_does() -> None:
    reopened = said(2, RequestReopened(request_id=REQUEST, reason="new_evidence"))
    assert reduce(moved, [reopened, reopened], SUBMITTED).cycle == 3
    assert moved(SUBMITTED, said(2, RequestResponded(request_id=REQUEST))) == SUBMITTED


_CHANGES = st.lists(
    st.fixed_dictionaries(
        {"attributes": st.dictionaries(st.sampled_from(["amount", "rush", "days"]), st.integers(0, 9), min_size=1)},
        optional={"kind": st.sampled_from(list(RequestKind))},
    ),
    max_size=6,
)


@given(_CHANGES, st.data())
def test_a_change_that_is_replayed_late_takes_back_nothing_that_was_told_since(
    told: list[dict[str, object]], data: st.DataObject
) -> None:
    events = [changed(number, **change) for number, change in enumerate(told, start=2)]
    shuffled = data.draw(st.permutations(events))
    assert reduce(moved, shuffled, SUBMITTED) == reduce(moved, events, SUBMITTED)
