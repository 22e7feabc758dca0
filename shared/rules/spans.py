"""Spans as rules write them."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST_SPAN = timedelta(days=3660)
"""Ten years: longer than any promise, and short enough that a deadline is always an instant one can write."""

_HOUR = timedelta(hours=1)
_SPAN = re.compile(r"^(?=\d)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?$")


def read_span(text: str) -> timedelta:
    """``45m``, ``8h``, ``1h30m``, ``2d``. A day is 24 hours.

    Raises:
        ValueError: anything else, and more than ``LONGEST_SPAN``.
    """
    match = _SPAN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a span such as 45m, 8h or 1h30m")
    try:
        span = timedelta(**{unit: int(count) for unit, count in match.groupdict(default="0").items()})
    except (OverflowError, ValueError):  # int() refuses more than 4300 digits
        span = timedelta.max
    if span > LONGEST_SPAN:
        raise ValueError(f"a span is at most {LONGEST_SPAN.days} days, which are {LONGEST_SPAN // _HOUR} hours")
    return span


def write_span(span: timedelta) -> str:
    """As a policy would write it: ``1d12h``, ``45m``."""
    minutes = span // timedelta(minutes=1)
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0m"
