from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.instants import EARLIEST, InstantRefused, check_move, check_reopening, check_submission

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SKEW = timedelta(minutes=5)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("occurred_at", [EARLIEST, NOW, NOW + SKEW])
def test_a_submission_may_be_old_or_a_little_ahead(occurred_at: datetime) -> None:
    check_submission(occurred_at, NOW)


@pytest.mark.parametrize("occurred_at", [EARLIEST - TICK, NOW + SKEW + TICK])
def test_a_submission_may_be_neither_ancient_nor_future(occurred_at: datetime) -> None:
    with pytest.raises(InstantRefused):
        check_submission(occurred_at, NOW)


def test_a_move_may_be_late_but_not_from_before_the_submission() -> None:
    check_move(NOW, NOW + timedelta(days=30), submitted_at=NOW)
    with pytest.raises(InstantRefused, match="before the request was submitted"):
        check_move(NOW - TICK, NOW, submitted_at=NOW)


def test_a_move_may_not_be_in_the_future() -> None:
    check_move(NOW + SKEW, NOW, submitted_at=NOW)
    with pytest.raises(InstantRefused, match="future"):
        check_move(NOW + SKEW + TICK, NOW, submitted_at=NOW)


def test_a_reopening_lies_at_its_closing_or_after_it() -> None:
    check_reopening(NOW, closed_at=NOW)
    with pytest.raises(InstantRefused, match="before the request was closed"):
        check_reopening(NOW - TICK, closed_at=NOW)
