from __future__ import annotations

from functools import partial
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from services.intake.handlers.lane import MOST_BYTES, MOST_OFFERS, Lane
from services.intake.handlers.offers import Offer
from shared.telemetry.context import new_trace
from tests.unit.intake.handlers.test_aside import arrival

SOMEBODY = arrival("C-1")
TRACE = new_trace()


def offer(size: int, *, is_of_batch: bool = False) -> Offer:
    nobody_waits = cast("Any", None)
    return Offer(partial(arrival, "C-1"), SOMEBODY, size, TRACE, 0.0, nobody_waits, is_of_batch=is_of_batch)


def gathered(lane: Lane) -> list[list[Offer]]:
    groups = []
    while lane:
        groups.append(lane.gather())
    return groups


@given(st.lists(st.integers(min_value=2, max_value=2 * MOST_BYTES), max_size=30))
def test_a_group_stays_below_its_bytes_unless_it_has_one_member(sizes: list[int]) -> None:
    lane = Lane()
    offers = [offer(size) for size in sizes]
    for each in offers:
        lane.add(each)
    groups = gathered(lane)
    assert [each for group in groups for each in group] == offers
    assert all(len(group) == 1 or sum(each.size for each in group) <= MOST_BYTES for group in groups)


def test_a_group_has_no_more_members_than_it_may() -> None:
    lane = Lane()
    same = offer(100, is_of_batch=True)
    for _ in range(1_200):
        lane.add(same)
    assert [len(group) for group in gathered(lane)] == [MOST_OFFERS, MOST_OFFERS, 200]


def test_single_requests_go_before_lines_of_batches() -> None:
    lane = Lane()
    first, second, single = offer(1, is_of_batch=True), offer(1, is_of_batch=True), offer(1)
    for each in (first, second, single):
        lane.add(each)
    assert gathered(lane) == [[single, first, second]]
