"""Whether this machine's clock can be trusted, asked before anything is destroyed because of its age.

A machine whose clock is days or years ahead takes everything for old, and what it destroys is gone for good. Postgres'
clock is the second opinion: all processes share it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.clock import real_now
from shared.errors import Retryable
from shared.postgres.database import Connection
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import HOST_CLOCK_AHEAD

_log = get_logger(__name__)

_APART = timedelta(minutes=1)
"""Far more than a machine that keeps its time is ever off, and far less than anything is kept for."""


class ClocksDisagree(Retryable):
    """This machine's clock and Postgres' are more than a minute apart; one of them is wrong, and which is not known."""


class ClockCheck:
    def __init__(self, service: str, now: Callable[[], datetime] = real_now) -> None:
        """Args:
        service: labels the metric.
        now: this machine's clock.
        """
        self._ahead = HOST_CLOCK_AHEAD.labels(service)
        self._now = now

    async def check(self, connection: Connection) -> None:
        """Take the instants by which things are judged before this call: then a clock that jumps after it does no harm.

        Raises:
            ClocksDisagree: said in the log, too.
        """
        theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
        ahead = self._now() - theirs
        self._ahead.set(ahead.total_seconds())
        if abs(ahead) > _APART:
            _log.error(
                "this machine's clock and Postgres' disagree: nothing is destroyed because of its age",
                seconds_ahead=round(ahead.total_seconds(), 3),
            )
            raise ClocksDisagree(f"this machine's clock is {ahead.total_seconds():+.0f} s ahead of Postgres'")
