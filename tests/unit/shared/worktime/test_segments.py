from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.worktime import Segment, clip, complement, difference, intersection, measure, union

segment_lists = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)))


def _points(segments: list[Segment[int]]) -> set[int]:
    return {point for start, end in segments for point in range(start, end)}


@given(segment_lists)
def test_a_union_holds_the_same_points_and_its_segments_do_not_touch(segments: list[Segment[int]]) -> None:
    joined = union(segments)
    assert _points(joined) == _points(segments)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(joined))


@given(segment_lists, segment_lists)
def test_a_difference_holds_the_points_of_the_first_that_are_not_in_the_second(
    segments: list[Segment[int]], holes: list[Segment[int]]
) -> None:
    left = difference(union(segments), union(holes))
    assert _points(left) == _points(segments) - _points(holes)
    assert left == union(left)


@given(segment_lists, segment_lists)
def test_an_intersection_holds_the_points_that_are_in_both(
    ones: list[Segment[int]], others: list[Segment[int]]
) -> None:
    shared = intersection(union(ones), union(others))
    assert _points(shared) == _points(ones) & _points(others)
    assert shared == union(shared) == intersection(union(others), union(ones))


@given(segment_lists, st.integers(0, 60), st.integers(0, 60))
def test_what_is_clipped_and_its_complement_make_the_whole_span(
    segments: list[Segment[int]], start: int, end: int
) -> None:
    joined = union(segments)
    inside, outside = clip(joined, start, end), complement(joined, start, end)
    assert _points(inside) == _points(segments) & set(range(start, end))
    assert intersection(inside, outside) == []
    assert union([*inside, *outside]) == union([(start, end)])


@given(segment_lists, segment_lists)
def test_the_measure_is_the_number_of_points_and_adds_up(ones: list[Segment[int]], others: list[Segment[int]]) -> None:
    one, other = union(ones), union(others)
    assert measure(one, 0) == len(_points(ones))
    assert measure(union([*one, *other]), 0) + measure(intersection(one, other), 0) == measure(one, 0) + measure(
        other, 0
    )


def test_segments_may_be_of_anything_that_is_ordered() -> None:
    noon, hour = datetime(2026, 6, 1, 12, tzinfo=UTC), timedelta(hours=1)
    assert measure(clip([(noon, noon + 3 * hour)], noon + hour, noon + 9 * hour), timedelta(0)) == 2 * hour
    assert complement([("b", "d")], "a", "c") == [("a", "b")]
