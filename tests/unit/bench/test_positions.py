from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from bench.positions import Position, is_drained, middle_rate

BEGAN_AT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def position(seconds: float, handled: int, *, has_unpublished: bool = False) -> Position:
    return Position(BEGAN_AT + timedelta(seconds=seconds), handled, BEGAN_AT, has_unpublished)


def test_it_is_drained_when_all_is_handled_and_published() -> None:
    assert is_drained(100)(position(1, 100))
    assert not is_drained(100)(position(1, 99))
    assert not is_drained(100)(position(1, 100, has_unpublished=True))


def test_the_middle_rate_leaves_out_a_slow_start_and_a_slow_end() -> None:
    seen = [position(0, 0), position(10, 100), position(11, 500), position(12, 900), position(30, 1000)]

    assert middle_rate(seen, 1000) == 400.0


def test_too_few_readings_give_no_middle_rate() -> None:
    assert math.isnan(middle_rate([position(0, 0), position(1, 1000)], 1000))
