"""Instants as a customer reads them: in the market's zone, with the zone named."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.intake.api.words import Words
from shared.contracts.payload import Market

ZONES = {
    Market.HONG_KONG: ZoneInfo("Asia/Hong_Kong"),
    Market.MAINLAND_CHINA: ZoneInfo("Asia/Shanghai"),
    Market.TAIWAN: ZoneInfo("Asia/Taipei"),
}


def format_instant(instant: datetime, market: Market, words: Words) -> str:
    """Cut to the minute, never rounded up: a promise must not grow."""
    local = instant.astimezone(ZONES[market])
    return words.instant.format(
        weekday=words.weekdays[local.weekday()],
        day=local.day,
        month=words.months[local.month - 1],
        year=local.year,
        hour=local.hour % 12 or 12,
        minute=f"{local.minute:02}",
        period=next(period.word for period in words.periods if local.hour < period.until),
        zone=words.zones[market],
    )
