"""What one calendar says itself, apart from its hours: its zone, its holidays, and the dates that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from shared.errors import ConfigurationError
from shared.rules.calendar_fields import (
    Weekly,
    annual_dates,
    holiday_rules,
    known_until,
    local_spans,
    makeup_days,
    named_dates,
    overrides,
    weekdays,
)
from shared.rules.document import Field, InvalidDocument
from shared.worktime import Calendar, Combination, HolidayRule, Window

OWN_DATES = frozenset(
    {
        "timezone",
        "known_until",
        "holidays",
        "annual_holidays",
        "computed_holidays",
        "substitute_on",
        "worked_holidays",
        "makeup_days",
        "date_overrides",
        "extra_hours",
        "closures",
    }
)
"""The fields that every calendar may have, wherever it has its hours from."""


@dataclass(frozen=True, slots=True)
class OwnDates:
    """See `shared.worktime.Calendar`; make-up days are overrides already.

    Attributes:
        substitute_on: None when it is not said.
    """

    members: Mapping[str, Field]
    timezone: str | None
    known_until: date | None
    holidays: frozenset[date]
    annual_holidays: frozenset[tuple[int, int]]
    holiday_rules: tuple[HolidayRule, ...]
    substitute_on: frozenset[int] | None
    worked_holidays: frozenset[date]
    date_overrides: Mapping[date, tuple[Window, ...]]
    extra_hours: tuple[tuple[datetime, datetime], ...]
    closures: tuple[tuple[datetime, datetime], ...]

    def calendar(
        self,
        *,
        name: str,
        timezone: str,
        weekly: Weekly,
        parts: tuple[Calendar, ...] = (),
        combination: Combination = Combination.ANY,
        beside: Calendar | None = None,
    ) -> Calendar:
        """The calendar with these hours and dates.

        Args:
            beside: whose dates hold too; where both say something about a date, the own holds.

        Raises:
            InvalidDocument: there is no such zone.
        """
        other = beside or Calendar(name, "UTC", weekly, parts=parts)
        known = [day for day in (other.known_until, self.known_until) if day is not None]
        try:
            return Calendar(
                name=name,
                timezone=timezone,
                weekly=weekly,
                holidays=other.holidays | self.holidays,
                annual_holidays=other.annual_holidays | self.annual_holidays,
                date_overrides={**other.date_overrides, **self.date_overrides},
                closures=(*other.closures, *self.closures),
                known_until=min(known, default=None),
                holiday_rules=(*other.holiday_rules, *self.holiday_rules),
                substitute_on=other.substitute_on if self.substitute_on is None else self.substitute_on,
                worked_holidays=self.worked_holidays | (other.worked_holidays - self.holidays) | self._worked(other),
                extra_hours=(*other.extra_hours, *self.extra_hours),
                parts=parts,
                combination=combination,
            )
        except ConfigurationError as error:
            raise self._complaint(str(error)) from None

    def _worked(self, other: Calendar) -> frozenset[date]:
        """The own overrides of dates on which only the other calendar has a holiday."""
        return frozenset(
            day
            for day in self.date_overrides.keys() - self.holidays
            if other.is_holiday(day) and (day.month, day.day) not in self.annual_holidays
        )

    def _complaint(self, message: str) -> InvalidDocument:
        """Of fields that are in order one by one a calendar refuses only the name of the zone."""
        return self.members["timezone"].fail(message)


def read_own_dates(members: Mapping[str, Field], weekly: Weekly) -> OwnDates:
    """Raises:
    InvalidDocument: a field that cannot be read, or a make-up day that something else is said about.
    """
    holidays = frozenset(named_dates(members.get("holidays")))
    changed = overrides(members.get("date_overrides"))
    if "makeup_days" in members and not any(weekly):
        raise members["makeup_days"].fail("there are no weekly hours that could be worked")
    for day, hours in makeup_days(members.get("makeup_days"), weekly).items():
        if day in changed or day in holidays:
            raise members["makeup_days"].fail(f"{day} is a holiday or an override too")
        changed[day] = hours
    return OwnDates(
        members=members,
        timezone=members["timezone"].text() if "timezone" in members else None,
        known_until=known_until(members.get("known_until")),
        holidays=holidays,
        annual_holidays=annual_dates(members.get("annual_holidays")),
        holiday_rules=holiday_rules(members.get("computed_holidays")),
        substitute_on=weekdays(members["substitute_on"]) if "substitute_on" in members else None,
        worked_holidays=frozenset(named_dates(members.get("worked_holidays"))),
        date_overrides=changed,
        extra_hours=local_spans(members.get("extra_hours")),
        closures=local_spans(members.get("closures")),
    )
