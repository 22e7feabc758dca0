"""Follows the log of changes once per process, for all who watch it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from services.intake.store.changes import Mark, RequestChange, find_newest, read_changes
from shared.errors import DatabaseUnavailable
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_PAUSE_SECONDS = 0.5
"""Screens of staff are promised a second or two; NOTIFY would make commits wait for each other (record 0002)."""

_PAGE = 500
_KEPT = 2_000
"""The last changes, so that those who keep up cost no query of their own: some seconds of a busy day, about 1 MB."""


class ChangeFeed:
    """A component, and the place where readers wait for the next change.

    Attributes:
        readers: how many there are just now.
        is_stopping: nothing more will come; readers end.
    """

    def __init__(self, database: Database, most_readers: int = 200) -> None:
        """
        Args:
            most_readers: each holds a connection of HTTP and one page of changes.
        """
        self._database = database
        self._most_readers = most_readers
        self._last: deque[RequestChange] = deque(maxlen=_KEPT)
        self._begin: Mark | None = None
        self._head: Mark | None = None
        self._news = asyncio.Event()
        self.readers = 0
        self.is_stopping = False

    def admit(self) -> bool:
        """Whether one more may read; then ``leave`` is called at its end."""
        if self.is_stopping or self.readers >= self._most_readers:
            return False
        self.readers += 1
        return True

    def leave(self) -> None:
        self.readers -= 1

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if self.readers:
                try:
                    while await self.run_once() == _PAGE:
                        continue
                except DatabaseUnavailable as error:
                    _log.warning("changes are not followed just now", error=str(error))
            else:
                self._forget()
            await first_of(_PAUSE_SECONDS, stopping)
        self.stop()

    async def run_once(self) -> int:
        """Read what came; gives how many."""
        async with self._database.connection() as connection:
            if self._head is None:
                self._begin = self._head = await find_newest(connection)
                self.wake()  # whoever came before has to read up to here from the log
            changes = await read_changes(connection, self._head, _PAGE)
        for change in changes:
            if len(self._last) == _KEPT:
                self._begin = self._last[0].mark
            self._last.append(change)
            self._head = change.mark
        if changes:
            self.wake()
        return len(changes)

    def _forget(self) -> None:
        """Nobody reads; what comes until somebody does need not be read at all."""
        self._head = self._begin = None
        self._last.clear()

    def stop(self) -> None:
        self.is_stopping = True
        self.wake()

    def wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def newest(self) -> Mark:
        """Where a reader begins who wants what comes from now on."""
        async with self._database.connection() as connection:
            return await find_newest(connection)

    async def after(self, mark: Mark) -> Sequence[RequestChange]:
        """The next changes after ``mark``: from memory, or from the log for a reader who is far behind."""
        if self._begin is not None and self._begin <= mark:
            return [change for change in self._last if change.mark > mark][:_PAGE]
        async with self._database.connection() as connection:
            return await read_changes(connection, mark, _PAGE)

    async def wait(self, seconds: float) -> None:
        """Until there are news or it is time to stop, at most for so long."""
        news = self._news
        if self.is_stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            return
