"""Timers that are due change clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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

    async def warm(self, connection: Connection, timers: Sequence[Timer]) -> None:
        """Load requests that are not in memory, because their timers come soon. The caller owns their partitions."""
        mark = self._shelf.mark()
        cold = self._shelf.missing(timer.request_id for timer in timers)
        if cold:
            requests = await self._loading.take(connection, cold)
            self._database.after_commit(connection, lambda: self._shelf.put_back(requests.values(), mark))

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
