"""Counts the records whose data are known to be right or wrong, as people judge them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from prometheus_client import Counter

from services.intake.domain.doubts import FindingConfirmed, FindingDismissed
from services.intake.domain.history import Change
from services.intake.domain.life import Life
from shared.contracts.payload import RequestKind

JUDGED = Counter("punctual_intake_records_total", "Records never doubted, or judged.", ["channel", "kind"])
RIGHT = Counter("punctual_intake_records_right_total", "Those without a confirmed finding.", ["channel", "kind"])

_judged, _right = cache(JUDGED.labels), cache(RIGHT.labels)  # their own look-up takes a lock; channels are few


def count_taken(channel: str, kind: RequestKind) -> None:
    """A record that nothing doubts counts as right at once."""
    _judged(channel, kind).inc()
    _right(channel, kind).inc()


def count_judged(channel: str, life: Life, changes: Iterable[Change]) -> None:
    """A doubted record counts once: as wrong when the first finding is confirmed, as right when all are dismissed.
    One that a change made doubtful afterwards counts once more.

    Args:
        life: after the changes.
        changes: of one move, which judges one finding at most.
    """
    for change in changes:
        if isinstance(change, FindingConfirmed) and life.confirmed == (change.rule,):
            _judged(channel, life.kind).inc()
        elif isinstance(change, FindingDismissed) and not life.confirmed and not life.doubts:
            count_taken(channel, life.kind)
