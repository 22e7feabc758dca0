"""Instants as payloads and bodies have them: in UTC, and such as every store gives back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.payload import LATEST, to_utc

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-11-22T09:30:00+08:00", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", LATEST),
        ("9999-12-31T23:59:59.999998Z", LATEST),
        ("9999-12-31T23:59:59.999997Z", LATEST - MICROSECOND),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC) + MICROSECOND),
    ],
)
def test_the_very_first_and_the_very_last_are_moved_by_what_nobody_notices(text: str, kept: datetime) -> None:
    assert to_utc(datetime.fromisoformat(text)) == kept


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+08:00"])
def test_what_is_no_year_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        to_utc(datetime.fromisoformat(text))
