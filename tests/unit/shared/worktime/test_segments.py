from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.worktime import Segment, difference, union

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
