"""Half-open segments ``[start, end)`` of anything that can be ordered; lists of them are sorted and do not touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar


class Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


T = TypeVar("T", bound=Ordered)
Length = TypeVar("Length")

Segment = tuple[T, T]


def union(segments: Iterable[Segment[T]]) -> list[Segment[T]]:
    """Sorted, with what overlaps or touches joined; empty and reversed segments vanish."""
    joined: list[Segment[T]] = []
    for start, end in sorted(segments, key=lambda segment: segment[0]):
        if not start < end:
            continue
        if joined and not joined[-1][1] < start:
            if joined[-1][1] < end:
                joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def intersection(ones: Sequence[Segment[T]], others: Sequence[Segment[T]]) -> list[Segment[T]]:
    """What lies in both; both as ``union`` returns them."""
    shared: list[Segment[T]] = []
    one = other = 0
    while one < len(ones) and other < len(others):
        (start, end), (other_start, other_end) = ones[one], others[other]
        latest_start = max(other_start, start)
        earliest_end = min(other_end, end)
        if latest_start < earliest_end:
            shared.append((latest_start, earliest_end))
        if end < other_end:
            one += 1
        else:
            other += 1
    return shared


def difference(segments: Sequence[Segment[T]], holes: Sequence[Segment[T]]) -> list[Segment[T]]:
    """What of ``segments`` lies in none of ``holes``; both as ``union`` returns them."""
    left: list[Segment[T]] = []
    first = 0
    for start, end in segments:
        while first < len(holes) and not start < holes[first][1]:
            first += 1
        at, index = start, first
        while index < len(holes) and holes[index][0] < end:
            hole_start, hole_end = holes[index]
            if at < hole_start:
                left.append((at, hole_start))
            at = hole_end
            index += 1
        if at < end:
            left.append((at, end))
    return left


def clip(segments: Sequence[Segment[T]], start: T, end: T) -> list[Segment[T]]:
    """What of ``segments`` lies in ``[start, end)``."""
    return intersection(segments, union([(start, end)]))


def complement(segments: Sequence[Segment[T]], start: T, end: T) -> list[Segment[T]]:
    """What of ``[start, end)`` lies in none of ``segments``: the closed time of a span, told its open one."""
    return difference(union([(start, end)]), segments)


def measure(segments: Iterable[Segment[Any]], nothing: Length) -> Length:
    """The length of all together, added to ``nothing``: ``timedelta(0)`` for instants, ``0`` for numbers."""
    total: Any = nothing
    for start, end in segments:
        total += end - start
    return total  # type: ignore[no-any-return]  # the difference of two instants has a type of its own
