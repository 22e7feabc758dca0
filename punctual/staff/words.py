"""Instants and spans as people read them at a command line."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = (("h", 3600), ("m", 60))  # no days: a working day has no fixed length


def instant(text: str | None) -> str:
    """An instant of an answer to the second, in UTC; a dash where there is none."""
    if text is None:
        return "-"
    at = datetime.fromisoformat(text).astimezone(UTC)
    return f"{at:%a %Y-%m-%d %H:%M:%S}"


def span(seconds: float | None) -> str:
    """``26h``, ``45m``, ``12s``; a dash where there is none."""
    if seconds is None:
        return "-"
    rest = round(abs(seconds))
    parts: list[str] = []
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(f"{rest}s")
    return ("-" if seconds < 0 else "") + "".join(parts)


def share(kept: int, missed: int) -> str:
    """``97.5% of 120``; a dash for none."""
    total = kept + missed
    return f"{kept / total:.1%} of {total}" if total else "-"
