"""Reads instants in the formats a map names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from punctual.replay.mapping.model import Instants

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UNITS = {"epoch_seconds": timedelta(seconds=1), "epoch_milliseconds": timedelta(milliseconds=1)}


class InstantUnreadable(ValueError):
    """The text is no instant in any of the formats, or has no offset and no zone is given."""


class InstantReader:
    """Text to UTC. Where a clock change makes a local time ambiguous, the earlier instant is taken."""

    def __init__(self, written: Instants) -> None:
        self._formats = written.formats
        self._zone = written.zone_info

    def read(self, text: str) -> datetime:
        """
        Raises:
            InstantUnreadable: says why, without the text.
        """
        for pattern in self._formats:
            instant = _parse(text.strip(), pattern)
            if instant is not None:
                return self._to_utc(instant)
        raise InstantUnreadable(f"the instant is not written as {' or '.join(self._formats)}")

    def _to_utc(self, instant: datetime) -> datetime:
        if instant.tzinfo is None:
            if self._zone is None:
                raise InstantUnreadable("the instant has no offset and the map names no zone (instants.zone)")
            instant = instant.replace(tzinfo=self._zone)
        try:
            return instant.astimezone(UTC)
        except OverflowError:
            raise InstantUnreadable("the instant lies outside the years 1 to 9999") from None


def _parse(text: str, pattern: str) -> datetime | None:
    try:
        if pattern == "iso":
            return datetime.fromisoformat(text)
        if pattern in _EPOCH_UNITS:
            return _EPOCH + float(text) * _EPOCH_UNITS[pattern]
        return datetime.strptime(text, pattern)  # noqa: DTZ007  # the zone is added after
    except (ValueError, OverflowError):
        return None
