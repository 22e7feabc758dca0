from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_timer.domain.rules import Budget, BudgetKind
from services.sla_timer.domain.spans import MOST_DAYS, read_budget, read_counted_span, write_budget
from shared.rules.spans import LONGEST_SPAN, read_span, write_span

MINUTES = st.integers(0, LONGEST_SPAN // timedelta(minutes=1)).map(lambda minutes: timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("text", "minutes"), [("45m", 45), ("8h", 480), ("1h30m", 90), ("2d", 2880), ("1d12h", 2160), ("0h", 0)]
)
def test_a_span_is_days_hours_and_minutes(text: str, minutes: int) -> None:
    assert read_span(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "8", "h", "8 h", "-1h", "1m1h", "8hours", "8h\n1m", "1.5h", "٣h2", "8h working"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span"):
        read_span(text)


@pytest.mark.parametrize("text", ["3661d", "87841h", "99999999999h", f"{'9' * 5000}h", f"{'9' * 400}d1m"])
def test_a_span_of_more_than_ten_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 3660 days, which are 87840 hours"):
        read_span(text)


def test_the_longest_span_is_taken() -> None:
    assert read_span("3660d") == read_span("87840h") == LONGEST_SPAN


def test_a_span_says_how_it_is_counted() -> None:
    assert read_counted_span("8h working") == (timedelta(hours=8), BudgetKind.WORKING)
    assert read_counted_span("2d elapsed") == (timedelta(days=2), BudgetKind.ELAPSED)
    assert read_counted_span("2d", default=BudgetKind.ELAPSED) == (timedelta(days=2), BudgetKind.ELAPSED)


@pytest.mark.parametrize(
    "text", ["8h", "8h office", "8h days", "8h working hours", "working", "8h  working", "8h WORKING"]
)
def test_a_span_without_a_word_for_how_it_is_counted_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a span and `working` or `elapsed`, such as `8h working`"):
        read_counted_span(text)


def test_a_working_day_has_no_fixed_length() -> None:
    with pytest.raises(ValueError, match="a working day has no fixed length; give working hours"):
        read_counted_span("5d working")


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("8h working", Budget(BudgetKind.WORKING, timedelta(hours=8))),
        ("30d elapsed", Budget(BudgetKind.ELAPSED, timedelta(days=30))),
        ("1 working day", Budget(BudgetKind.DAYS, days=1)),
        ("3 working days", Budget(BudgetKind.DAYS, days=3)),
        ("3 working days end of day", Budget(BudgetKind.DAYS, days=3, is_end_of_day=True)),
        ("2000 working days", Budget(BudgetKind.DAYS, days=2000)),
    ],
)
def test_a_budget_is_a_span_or_a_number_of_working_days(text: str, budget: Budget) -> None:
    assert read_budget(text) == budget
    assert read_budget(write_budget(budget)) == budget


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "must be a span and `working`"),
        ("2x elapsed", "'2x' is not a span"),
        ("0h elapsed", "longer than nothing"),
        ("0h working", "longer than nothing"),
        ("0 working days", "must be a span and `working`"),
        ("3 days", "must be a span and `working`"),
        ("3 working days at noon", "must be a span and `working`"),
        (f"{MOST_DAYS + 1} working days", "at most 2000 working days"),
        ("9999999 working days", "must be a span and `working`"),
    ],
)
def test_what_is_no_budget_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_budget(text)


@given(MINUTES)
def test_a_span_is_written_as_it_is_read(span: timedelta) -> None:
    assert read_span(write_span(span)) == span


@given(
    st.builds(Budget, st.sampled_from([BudgetKind.WORKING, BudgetKind.ELAPSED]), MINUTES.filter(bool))
    | st.builds(
        Budget,
        st.just(BudgetKind.DAYS),
        days=st.integers(1, MOST_DAYS),
        is_end_of_day=st.booleans(),
    )
)
def test_a_budget_is_written_as_it_is_read(budget: Budget) -> None:
    assert read_budget(write_budget(budget)) == budget
