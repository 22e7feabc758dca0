"""Working time: half-open segments on a calendar, and the arithmetic of budgets on them. Pure.

``WorkingTime(calendar)`` answers when a budget is spent, how much working time lies between two instants, and what is
open when. Instants are aware datetimes, spans ``timedelta``; answers are UTC and exact to the microsecond.
"""

from shared.worktime.calendar import (
    ALWAYS_OPEN,
    WEEKDAYS,
    Calendar,
    Window,
    local_to_instant,
    parse_local,
    parse_time_of_day,
)
from shared.worktime.segments import Segment, difference, union
from shared.worktime.working import WorkingTime, elapsed_across

__all__ = [
    "ALWAYS_OPEN",
    "WEEKDAYS",
    "Calendar",
    "Segment",
    "Window",
    "WorkingTime",
    "difference",
    "elapsed_across",
    "local_to_instant",
    "parse_local",
    "parse_time_of_day",
    "union",
]
