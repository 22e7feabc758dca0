"""Timers that are due change clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.decisions import advance, by_objective
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.loading import Loading
from services.sla_timer.store.shelf import Epochs, Shelf
from services.sla_timer.store.tracked import TrackedRequest
from shared.clock import Clock
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import new_trace

_WARMED_AT_ONCE = 32  # some milliseconds of this process's time


class TimerHandler:
    """Reads the clock of each due timer as of the timer's instant, so that what is overdue is decided in its order.

    A timer is only the occasion: what is decided follows from the history.
    """

    def __init__(self, database: Database, loading: Loading, shelf: Shelf, clock: Clock, outbox: Outbox) -> None:
        self._database = database
        self._loading = loading
        self._shelf = shelf
        self._clock = clock
        self._outbox = outbox

    async def fire(
        self,
        connection: Connection,
        due: Sequence[tuple[int, Timer]],
        armed: Callable[[int, Sequence[Timer]], None],
    ) -> int:
        """Decide what is due, earliest first; gives how many timers still stood as they were set.

        Args:
            due: partition and timer; the caller owns the partitions.
            armed: told of the timers set, once they are committed.
        """
        mark = self._shelf.mark()
        requests = await self._loading.take(connection, (timer.request_id for _, timer in due))
        changes = Batch(self._clock.now(), self._clock.speed, by="timer")
        fired = 0
        for partition, timer in due:
            request = requests.get(timer.request_id)
            if request is not None and request.partition == partition:
                fired += self._fire(request, timer, changes)
        await changes.write(connection, self._outbox)
        self._database.after_commit(connection, lambda: self._settle(requests.values(), mark, changes, armed))
        return fired

    def expect(self, timers: Iterable[Timer]) -> list[UUID]:
        """The requests that are not in memory, whose timers come soon; see ``Shelf.expect``."""
        return self._shelf.expect(timer.request_id for timer in timers)

    async def warm(self, connection: Connection, expected: Sequence[UUID], mark: Epochs) -> None:
        """Load what is expected, some at a time, so that whoever has work meanwhile need not wait for all of it."""
        for first in range(0, len(expected), _WARMED_AT_ONCE):
            requests = await self._loading.read(connection, expected[first : first + _WARMED_AT_ONCE])
            self._shelf.put_expected(requests, mark)

    def _settle(
        self,
        requests: Iterable[TrackedRequest],
        mark: Epochs,
        changes: Batch,
        armed: Callable[[int, Sequence[Timer]], None],
    ) -> None:
        self._shelf.put_back(requests, mark)
        for partition, timers in changes.armed.items():
            armed(partition, timers)

    def _fire(self, request: TrackedRequest, timer: Timer, changes: Batch) -> bool:
        clock = request.clocks.get((timer.objective, timer.cycle))
        if clock is None or clock.timer != timer:
            return False  # it was fired, moved or dropped
        case = self._loading.case(request)
        mine = by_objective(request.clocks)[timer.objective]
        trace = new_trace(request.correlation_id, request.traceparent)
        for step in advance(case, timer.objective, mine, timer.due_at):
            changes.take(request, case, step, trace)
        return True
