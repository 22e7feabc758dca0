"""Timers that are due change clocks."""

from __future__ import annotations

from collections.abc import Sequence

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.decisions import advance
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.requests import load_case
from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.timers import confirm_timers
from services.sla_timer.store.tracked import lock_and_load
from shared.clock import Clock
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import new_trace


class TimerHandler:
    """Reads the clock of each due timer as of the timer's instant, so that what is overdue is decided in its order.

    A timer is only the occasion: what is decided follows from the history. One that was an occasion for nothing is
    removed all the same, or it would be looked at for ever.
    """

    def __init__(self, rulebooks: Rulebooks, clock: Clock, outbox: Outbox) -> None:
        self._rulebooks = rulebooks
        self._clock = clock
        self._outbox = outbox

    async def fire(self, connection: Connection, timers: Sequence[Timer]) -> list[Timer]:
        """Decide what is due, earliest first; gives the timers that no longer stood as they were set."""
        requests = await lock_and_load(connection, {timer.request_id for timer in timers})
        standing = await confirm_timers(connection, timers)
        changes = Batch(self._clock.now(), self._clock.speed, by="timer")
        for timer in standing:
            request = requests[timer.request_id]
            case = await load_case(connection, self._rulebooks, request)
            trace = new_trace(request.correlation_id, request.traceparent)
            step = advance(case, request.clocks[timer.clock_id], timer.due_at)
            changes.take(request, case, step, trace)
            changes.settle(request, case, step, timer)
        await changes.write(connection, self._outbox)
        fired = set(standing)
        return [timer for timer in timers if timer not in fired]
