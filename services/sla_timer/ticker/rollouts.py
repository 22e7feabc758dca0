"""Works off the changes of rules and modes that running clocks have still to be told, between events and timers."""

from __future__ import annotations

import asyncio

from services.sla_timer.handlers import metrics
from services.sla_timer.handlers.rollouts import RolloutHandler
from services.sla_timer.store.rollouts import Progress, close_rollouts, open_rollouts
from services.sla_timer.ticker.firing import Ticker
from shared.clock import Clock
from shared.contracts.topics import REQUESTS
from shared.errors import Fenced, Retryable
from shared.inbox import Ownership
from shared.kafka import TopicPartition
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_LOOK_SECONDS = 1.0


class Rollouts:
    """A component: brings what was ordered to the requests of the partitions that ``ownership`` holds."""

    def __init__(
        self,
        database: Database,
        handler: RolloutHandler,
        ownership: Ownership,
        clock: Clock,
        ticker: Ticker,
    ) -> None:
        self._database = database
        self._handler = handler
        self._ownership = ownership
        self._clock = clock
        self._ticker = ticker

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            is_idle = True
            try:
                is_idle = not await self.run_once()
            except Fenced as lost:
                _log.warning("rollout dropped, the partition was lost", partition=lost.partition)
            except Retryable as error:
                _log.warning("rollout failed, will repeat", error=str(error))
            if is_idle:
                await first_of(_LOOK_SECONDS, stopping)

    async def run_once(self) -> bool:
        """Tell the next requests of every partition that has some; whether there was anything to do.

        Raises:
            Fenced: names the partition that is not ours any more; what was told before it stays told.
            DatabaseUnavailable: what was in hand is told again.
        """
        async with self._database.connection() as connection:
            waiting = await open_rollouts(connection, self._ownership.partitions(REQUESTS.name))
        for kind in ("policy", "mode"):
            of_kind = {progress.rollout.rollout_id for progress in waiting if progress.rollout.kind == kind}
            metrics.ROLLOUTS_OPEN.labels(kind).set(len(of_kind))
        if waiting:
            await self._handler.prepare()
        taken: set[int] = set()
        is_last = False
        for progress in waiting:
            if progress.partition not in taken:  # a later change waits for the earlier ones
                taken.add(progress.partition)
                is_last |= await self._tell_some(progress)
        if is_last:
            async with self._database.transaction() as connection:
                await close_rollouts(connection, REQUESTS.name, self._clock.now())
        return bool(waiting)

    async def _tell_some(self, progress: Progress) -> bool:
        where = TopicPartition(REQUESTS.name, progress.partition)
        async with self._ownership.exclusive([where]), self._database.transaction() as connection:
            await self._ownership.check_all(connection, [where])
            is_done, changes = await self._handler.tell_some(connection, progress)
        for partition, timers in changes.armed.items():
            self._ticker.armed(partition, timers)
        return is_done
