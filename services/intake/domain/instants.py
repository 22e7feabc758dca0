"""Which instants a source may give for what it reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.errors import PunctualError

ALLOWED_SKEW = timedelta(minutes=5)
"""How far a source's clock may run ahead of ours, business time."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing older is a live request; a year that was mistyped is likelier, and calendars know nothing of it."""


class InstantRefused(PunctualError):
    """``occurred_at`` cannot be true; the message says why."""


def check_submission(occurred_at: datetime, now: datetime) -> None:
    """
    Raises:
        InstantRefused: the instant lies in the future, or before the year 2000.
    """
    if occurred_at < EARLIEST:
        raise InstantRefused("lies before the year 2000")
    _check_future(occurred_at, now)


def check_move(occurred_at: datetime, now: datetime, submitted_at: datetime) -> None:
    """Late news is welcome: a move may have occurred before others that are recorded already.

    Raises:
        InstantRefused: the instant lies in the future, or before the submission.
    """
    if occurred_at < submitted_at:
        raise InstantRefused("lies before the request was submitted")
    _check_future(occurred_at, now)


def check_reopening(occurred_at: datetime, closed_at: datetime) -> None:
    """
    Raises:
        InstantRefused: the instant lies before the closing that it is about.
    """
    if occurred_at < closed_at:
        raise InstantRefused("lies before the request was closed")


def check_ending(occurred_at: datetime, reopened_at: datetime | None) -> None:
    """
    Args:
        reopened_at: when the request was reopened last, if it was.

    Raises:
        InstantRefused: the instant lies before the reopening: what ended before that was told with the ending then.
    """
    if reopened_at is not None and occurred_at < reopened_at:
        raise InstantRefused("lies before the request was reopened")


def _check_future(occurred_at: datetime, now: datetime) -> None:
    if occurred_at > now + ALLOWED_SKEW:
        raise InstantRefused("lies more than 5 minutes in the future of this system's clock (GET /v1/clock)")
