"""Working time: half-open segments on a calendar, and the arithmetic of budgets on them. Pure.

``WorkingTime(calendar)`` answers when a budget is spent, how much working time lies between two instants, and what is
open when. Instants are aware datetimes, spans ``timedelta``; answers are UTC and exact to the microsecond.
"""

from shared.worktime.calendar import ALWAYS_OPEN, NO_HOURS, WEEKDAYS, Calendar, Combination, Window
from shared.worktime.holiday_rules import Annual, Easter, HolidayRule, NthWeekday, easter_sunday
from shared.worktime.local_time import local_to_instant, parse_local, parse_time_of_day
from shared.worktime.segments import Segment, clip, complement, difference, intersection, measure, union
from shared.worktime.shifts import has_open_time
from shared.worktime.ticks import from_ticks, to_ticks
from shared.worktime.working import WorkingTime, elapsed_across

__all__ = [
    "ALWAYS_OPEN",
    "NO_HOURS",
    "WEEKDAYS",
    "Annual",
    "Calendar",
    "Combination",
    "Easter",
    "HolidayRule",
    "NthWeekday",
    "Segment",
    "Window",
    "WorkingTime",
    "clip",
    "complement",
    "difference",
    "easter_sunday",
    "elapsed_across",
    "from_ticks",
    "has_open_time",
    "intersection",
    "local_to_instant",
    "measure",
    "parse_local",
    "parse_time_of_day",
    "to_ticks",
    "union",
]
