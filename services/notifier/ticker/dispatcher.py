"""The component that sends: claims, connections, journal and sweeper together."""

from __future__ import annotations

import asyncio

from services.notifier.delivery.gate import RelayGate
from services.notifier.handlers.claiming import Claiming
from services.notifier.handlers.journal import Journal
from services.notifier.store.listing import NoticeListing
from services.notifier.ticker.connections import Connections
from services.notifier.ticker.sweeper import Sweeper
from shared.errors import Retryable
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_FIRST_POLL_SECONDS = 0.005  # a wake-up may come a moment before the commit it announces
_GRACE_SECONDS = 15.0  # below the lifecycle's 20: what is still talking then stays in doubt


class Dispatcher:
    def __init__(
        self,
        *,
        claiming: Claiming,
        journal: Journal,
        connections: Connections,
        gate: RelayGate,
        listing: NoticeListing,
        poll_seconds: float,
    ) -> None:
        """Args:
        poll_seconds: longest time between two looks for ready notices.
        """
        self._claiming = claiming
        self._journal = journal
        self._connections = connections
        self._gate = gate
        self._sweeper = Sweeper(claiming, listing, self.wake)
        self._poll_seconds = poll_seconds
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something became ready."""
        self._news.set()

    async def run(self, stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as writing:
            journal = writing.create_task(self._journal.run())
            try:
                async with asyncio.timeout(None) as grace, asyncio.TaskGroup() as tasks:
                    self._connections.start(tasks)
                    tasks.create_task(self._sweeper.run(stopping))
                    await self._claim_until(stopping)
                    grace.reschedule(asyncio.get_running_loop().time() + _GRACE_SECONDS)
                    self._connections.stop()
            except TimeoutError:
                _log.warning("stopped while the relay was still to answer", in_hand=self._connections.in_hand)
            journal.cancel()

    async def _claim_until(self, stopping: asyncio.Event) -> None:
        pause = self._poll_seconds
        while not stopping.is_set():
            closed = self._gate.seconds_closed()
            if closed > 0:
                await first_of(closed, stopping)
                continue
            room = self._room()
            if room <= 0:
                self._connections.fewer.clear()
                await first_of(self._poll_seconds, stopping, self._connections.fewer)
                continue
            if await self._claim(room):
                pause = _FIRST_POLL_SECONDS
                continue
            if self._news.is_set():
                self._news.clear()
                pause = _FIRST_POLL_SECONDS
            await first_of(pause, stopping, self._news)
            pause = min(pause * 2, self._poll_seconds)

    def _room(self) -> int:
        """How many to claim now. A few more than connections, so that one claim's commit serves several mails."""
        in_hand, count = self._connections.in_hand, self._connections.count
        if not self._gate.is_trusted:
            return 1 - in_hand
        return 4 * count - in_hand if in_hand <= 2 * count else 0

    async def _claim(self, count: int) -> int:
        try:
            claims = await self._claiming.claim(count)
        except Retryable as error:
            _log.warning("nothing claimed, will repeat", error=str(error))
            return 0
        self._connections.take(claims)
        return len(claims)
