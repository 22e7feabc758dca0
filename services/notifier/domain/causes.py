"""How notices name what caused them; part of their keys, so what is stored stays as it is written."""

from __future__ import annotations

from datetime import datetime

from services.notifier.domain.news import News
from services.notifier.domain.notice import Notice
from shared.contracts import clocks


def asking(reason: str) -> str:
    """How the cause of asking for documents begins."""
    return f"paused:{reason}:"


def cause_of(data: clocks.ClockPayload, kind: str, level: int, at: datetime, news: News) -> str:
    """With the deadline, or the beginning of the pause, for whoever reads it, and with the event's number: late news
    can withdraw a breach and later news bring it back at the very same deadline. An event that is heard again has the
    number it had.
    """
    return f"{data.clock_id}:{data.cycle}:{kind}:{level}:{at:%Y%m%dT%H%M%S.%fZ}:{news.sequence}"


def number_of(notice: Notice) -> int:
    """Of the clock's event that caused it; 0 where the cause does not tell, as it did not at first."""
    number = notice.key.cause.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
