"""What an attribute's value means: a number, a truth or a code; dates and instants are written as codes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.contracts.payload import AttributeValue
from shared.worktime.local_time import local_to_instant

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|-[0-9]{2}:[0-9]{2})?")

Moment = date | datetime
"""A local date of the market, or an instant in UTC."""


class ValueType(StrEnum):
    """The types a rule may ask for.

    Members:
        NUMBER: any number.
        INTEGER: one without a fraction, such as 12 or 12.0.
        TRUTH: true or false, not the words.
        CODE: a word.
        DATE: ``2026-11-22``, a date in the market's zone.
        INSTANT: ``2026-11-22T09:30Z``, or without ``Z`` as clocks in the market's zone show it. Codes have no ``+``, so
            offsets east of Greenwich cannot be written.
    """

    NUMBER = "number"
    INTEGER = "integer"
    TRUTH = "truth"
    CODE = "code"
    DATE = "date"
    INSTANT = "instant"


NUMBERS = frozenset({ValueType.NUMBER, ValueType.INTEGER})
MOMENTS = frozenset({ValueType.DATE, ValueType.INSTANT})


def is_of(value: AttributeValue, kind: ValueType) -> bool:
    """Whether a value has the type."""
    match kind:
        case ValueType.TRUTH:
            return isinstance(value, bool)
        case ValueType.NUMBER:
            return is_number(value)
        case ValueType.INTEGER:
            return is_number(value) and (isinstance(value, int) or float(value).is_integer())
        case ValueType.CODE:
            return isinstance(value, str)
        case ValueType.DATE:
            return read_date(value) is not None
        case ValueType.INSTANT:
            return read_instant(value, _ANY_ZONE) is not None


def is_number(value: AttributeValue) -> bool:
    """True and false are none, though Python counts with them."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_date(value: AttributeValue | None) -> date | None:
    """None when the value is no date of the years 1 to 9999."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def read_instant(value: AttributeValue, zone: ZoneInfo) -> datetime | None:
    """In UTC; None when the value is no instant of the years 1 to 9999.

    Args:
        zone: of a value without an offset.
    """
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        written = datetime.fromisoformat(value)
        return written.astimezone(UTC) if written.tzinfo is not None else local_to_instant(zone, written)
    except (ValueError, OverflowError):
        return None


def read_moment(value: AttributeValue, kind: ValueType, zone: ZoneInfo) -> Moment | None:
    """A date or an instant; None when the value is none."""
    return read_date(value) if kind is ValueType.DATE else read_instant(value, zone)


def date_of(moment: Moment, zone: ZoneInfo) -> date:
    """The local date; an instant at the edge of the calendar keeps the last date there is."""
    if not isinstance(moment, datetime):
        return moment
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


_ANY_ZONE = ZoneInfo("UTC")
