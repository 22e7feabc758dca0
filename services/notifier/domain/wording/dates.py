"""Dates as people of a market write them. An own formatter: the libraries round and fall back across scripts."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.contracts.payload import Language, Market

ZONES = {
    Market.HONG_KONG: ZoneInfo("Asia/Hong_Kong"),
    Market.MAINLAND_CHINA: ZoneInfo("Asia/Shanghai"),
    Market.TAIWAN: ZoneInfo("Asia/Taipei"),
}

_ZONE_NAMES = {
    Language.ENGLISH: {
        Market.HONG_KONG: "Hong Kong time",
        Market.MAINLAND_CHINA: "Beijing time",
        Market.TAIWAN: "Taipei time",
    },
    Language.TRADITIONAL_CHINESE: {
        Market.HONG_KONG: "香港時間",
        Market.MAINLAND_CHINA: "北京時間",
        Market.TAIWAN: "台北時間",
    },
    Language.SIMPLIFIED_CHINESE: {
        Market.HONG_KONG: "香港时间",
        Market.MAINLAND_CHINA: "北京时间",
        Market.TAIWAN: "台北时间",
    },
}

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAYS_CHINESE = "一二三四五六日"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def format_deadline(instant: datetime, language: Language, market: Market) -> str:
    """An instant to come, rounded up to the minute, so that no promise reads earlier than it is."""
    whole = instant.replace(second=0, microsecond=0)
    return format_instant(whole if whole == instant else whole + timedelta(minutes=1), language, market)


def format_instant(instant: datetime, language: Language, market: Market) -> str:
    """Date, hour and the zone's name, in the market's zone.

    ``Monday 30 November 2026, 16:00 (Hong Kong time)``, ``2026年11月30日（星期一）16:00（香港時間）``.
    """
    local = instant.astimezone(ZONES[market])
    zone = _ZONE_NAMES[language][market]
    if language is Language.ENGLISH:
        month = _MONTHS[local.month - 1]
        return f"{_WEEKDAYS[local.weekday()]} {local.day} {month} {local.year}, {local:%H:%M} ({zone})"
    weekday = f"星期{_WEEKDAYS_CHINESE[local.weekday()]}"
    return f"{local.year}年{local.month}月{local.day}日（{weekday}）{local:%H:%M}（{zone}）"
