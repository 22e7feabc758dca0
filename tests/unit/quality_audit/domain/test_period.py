from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.period import bounds_of, period_of

instants = st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(instants)
def test_an_instant_lies_within_its_period(instant: datetime) -> None:
    begins_at, ends_at = bounds_of(period_of(instant))
    assert begins_at <= instant < ends_at


@given(instants)
def test_periods_leave_no_gap(instant: datetime) -> None:
    _, ends_at = bounds_of(period_of(instant))
    assert bounds_of(period_of(ends_at))[0] == ends_at
    assert period_of(ends_at - timedelta(microseconds=1)) == period_of(instant)


def test_a_quarter_begins_at_midnight_in_hong_kong() -> None:
    assert period_of(datetime(2026, 9, 30, 15, 59, tzinfo=UTC)) == "2026Q3"
    assert period_of(datetime(2026, 9, 30, 16, 0, tzinfo=UTC)) == "2026Q4"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026Q5", "2026Q0", "2026q4", "26Q4", "2026Q4 ", "0000Q1", "0001Q1", "9999Q4"]
)
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match=r"quarter|year"):
        bounds_of(text)


def test_the_last_hours_of_the_calendar_are_in_no_period() -> None:
    assert period_of(datetime(9999, 12, 31, 15, 59, tzinfo=UTC)) == "9999Q4"
    with pytest.raises(ValueError, match="outside the calendar"):
        period_of(datetime(9999, 12, 31, 16, 0, tzinfo=UTC))
