"""A working calendar as data: weekly hours in a zone, or the hours of other calendars, and the dates that differ.

Windows are wall-clock times of the date they start on; ``shared.worktime.local_time`` says what instants they mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.errors import ConfigurationError
from shared.worktime.holiday_rules import Annual, HolidayRule, computed_holidays
from shared.worktime.local_time import find_zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)


class Window(NamedTuple):
    """Open from ``opens`` to just before ``closes``, both counted from the local midnight of its date.

    ``closes`` may pass 24 hours: a night shift belongs to the date it starts on.
    """

    opens: timedelta
    closes: timedelta


NO_HOURS: tuple[tuple[Window, ...], ...] = ((),) * len(WEEKDAYS)
"""The weekly hours of a calendar that takes its hours from others."""


class Combination(StrEnum):
    """How a calendar takes its hours from its parts."""

    ANY = "any_of"
    ALL = "all_of"


@dataclass(frozen=True)
class Calendar:
    """When an office works.

    A date's hours are its override, else its weekly hours together with those of its parts. Holidays close them, extra
    hours open in spite of holidays, closures beat everything.

    Attributes:
        name: what policies call it.
        timezone: IANA zone of every local date and time here.
        weekly: seven tuples of windows, Monday first.
        holidays: local dates closed from midnight to midnight; shifts that would start on them do not take place.
        annual_holidays: ``(month, day)`` closed every year.
        date_overrides: windows that replace the usual hours of that date. A holiday beats an override.
        closures: local ``(from, to)`` closed inside otherwise open windows; they beat everything.
        known_until: the last date for which holidays are published; later answers are provisional. None: no limit.
            A calendar with parts is known no longer than each of them.
        holiday_rules: computed holidays.
        substitute_on: weekdays, Monday is 0; an annual or computed holiday on one of them closes the next working day
            too. A dated holiday has no substitute, and where one stands in its place it is the published substitute.
        worked_holidays: dates on which no holiday of any sort holds.
        extra_hours: local ``(from, to)`` open beyond everything else, closures excepted.
        parts: calendars whose hours are hours of this one too, in their own zones, holidays and closures observed.
        combination: open when any of the parts is, or when all are.

    Raises:
        ConfigurationError: unknown zone, a window that ends before it starts, or no open time at all.
    """

    name: str
    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    annual_holidays: frozenset[tuple[int, int]] = frozenset()
    date_overrides: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    closures: tuple[tuple[datetime, datetime], ...] = ()
    known_until: date | None = None
    holiday_rules: tuple[HolidayRule, ...] = ()
    substitute_on: frozenset[int] = frozenset()
    worked_holidays: frozenset[date] = frozenset()
    extra_hours: tuple[tuple[datetime, datetime], ...] = ()
    parts: tuple[Calendar, ...] = ()
    combination: Combination = Combination.ANY
    _computed: dict[int, frozenset[date]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        find_zone(self.timezone)
        for window in (w for windows in (*self.weekly, *self.date_overrides.values()) for w in windows):
            if not timedelta(0) <= window.opens < window.closes <= 2 * _DAY or window.opens >= _DAY:
                raise ConfigurationError(
                    f"calendar {self.name}: a window opens at {window.opens}, closes {window.closes}"
                )
        if not any((*self.weekly, *self.date_overrides.values(), self.extra_hours, self.parts)):
            raise ConfigurationError(f"calendar {self.name} has no open time at all; no budget could ever be spent")
        known = [part.known_until for part in self.parts if part.known_until is not None]
        if known:
            object.__setattr__(self, "known_until", min([*known, self.known_until or date.max]))

    @property
    def zone(self) -> ZoneInfo:
        return find_zone(self.timezone)

    @property
    def is_always_open(self) -> bool:
        """Whether every window lasts from midnight to midnight and nothing closes; working time is elapsed time."""
        whole_day = (Window(timedelta(0), _DAY),)
        closing = (self.date_overrides, self.holidays, self.annual_holidays, self.closures, self.holiday_rules)
        return self.weekly == (whole_day,) * len(WEEKDAYS) and not any(closing)

    def is_holiday(self, day: date) -> bool:
        """Dated, annual, computed, or the substitute of one; a worked holiday is none."""
        if day in self.worked_holidays:
            return False
        return day in self.holidays or day in self._computed_in(day.year)

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """The own windows that start on a date, closures not yet taken out."""
        if self.is_holiday(day):
            return ()
        override = self.date_overrides.get(day)
        return self.weekly[day.weekday()] if override is None else override

    def is_known_at(self, instant: datetime) -> bool:
        """Whether the calendar is published for the local date of ``instant``."""
        return self.known_until is None or instant.astimezone(self.zone).date() <= self.known_until

    def _computed_in(self, year: int) -> frozenset[date]:
        if year not in self._computed:
            rules = (*(Annual(*month_and_day) for month_and_day in self.annual_holidays), *self.holiday_rules)
            self._computed[year] = computed_holidays(year, rules, self.substitute_on, self._is_workday_of_the_week)
        return self._computed[year]

    def _is_workday_of_the_week(self, day: date) -> bool:
        return bool(self.weekly[day.weekday()]) or bool(self.parts and day.weekday() not in self.substitute_on)


ALWAYS_OPEN = Calendar("always_open", "UTC", ((Window(timedelta(0), _DAY),),) * 7)
"""Elapsed time is working time on a calendar that never closes."""
