"""Customers go first, and staff get their share of every claim however small it is."""

from __future__ import annotations

import pytest

from services.notifier.domain.turns import kept_for_staff


@pytest.mark.parametrize(("count", "kept"), [(2, 1), (3, 1), (4, 1), (7, 1), (8, 2), (16, 4), (256, 64)])
@pytest.mark.parametrize("turn", range(5))
def test_a_quarter_is_kept_and_at_least_one(count: int, turn: int, kept: int) -> None:
    assert kept_for_staff(count, turn) == kept


def test_of_single_mails_every_fourth_is_kept() -> None:
    assert [kept_for_staff(1, turn) for turn in range(9)] == [0, 0, 0, 1, 0, 0, 0, 1, 0]
