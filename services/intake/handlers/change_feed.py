"""Follows the log of changes once per process, for all who watch it."""

from __future__ import annotations

import asyncio
from collections import Counter

from services.intake.handlers.recent_changes import RecentChanges, Stretch
from services.intake.store.changes import Mark, find_newest, read_changes
from shared.errors import DatabaseUnavailable
from shared.postgres import Connection, Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_PAUSE_SECONDS = 0.5
"""Screens of staff are promised a second or two; NOTIFY would make commits wait for each other (record 0002)."""

_PAGE = 500
_KEPT = 2_000
"""The last changes: some seconds of a busy day, about 1 MB."""

_CATCHING_UP = 2
"""Connections to Postgres for readers who begin or are behind: those of a whole house may come at once after a break,
and the calls that take requests in need connections too."""


class ChangeFeed:
    """A component, and the place where readers wait for the next change.

    Attributes:
        readers: how many each caller has just now.
        is_stopping: nothing more will come; readers end.
    """

    def __init__(
        self, database: Database, most_readers: int = 200, most_of_one: int = 20, *, page: int = _PAGE
    ) -> None:
        """
        Args:
            most_readers: each holds a connection of HTTP and one page of changes.
            most_of_one: readers of one caller, so that nobody takes the places of all.
            page: the most changes read at once.
        """
        self._database = database
        self._most_readers = most_readers
        self._most_of_one = most_of_one
        self._page = page
        self._recent = RecentChanges(_KEPT)
        self._news = asyncio.Event()
        self._catching_up = asyncio.Semaphore(_CATCHING_UP)
        self.readers: Counter[str] = Counter()
        self.is_stopping = False

    def admit(self, caller: str) -> bool:
        """Whether one more of the caller may read; then ``leave`` is called at its end."""
        if self.is_stopping or self.readers.total() >= self._most_readers:
            return False
        if self.readers[caller] >= self._most_of_one:
            return False
        self.readers[caller] += 1
        return True

    def leave(self, caller: str) -> None:
        self.readers[caller] -= 1
        if not self.readers[caller]:
            del self.readers[caller]  # callers come and go for as long as the process lives

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if self.readers.total():
                try:
                    while not await self.run_once():
                        continue
                except DatabaseUnavailable as error:
                    _log.warning("changes are not followed just now", error=str(error))
            else:
                self._recent.forget()  # what comes until somebody reads need not be read at all
            await first_of(_PAUSE_SECONDS, stopping)
        self.stop()

    async def run_once(self) -> bool:
        """Read what came, a page of it; whether that was all."""
        async with self._database.connection() as connection:
            head = self._recent.head
            if head is None:
                head = await find_newest(connection)
                self._recent.begin(head)
                self.wake()  # whoever came before has to read up to here from the log
            stretch = await self._read(connection, head)
        if stretch.changes:
            self._recent.add(stretch)
            self.wake()
        return stretch.is_whole

    def stop(self) -> None:
        self.is_stopping = True
        self.wake()

    def wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def newest(self) -> Mark:
        """Where a reader begins who wants what comes from now on."""
        async with self._catching_up, self._database.connection() as connection:
            return await find_newest(connection)

    async def after(self, mark: Mark) -> Stretch:
        """The next changes after ``mark``: from memory, or from the log for a reader who is far behind."""
        recent = self._recent.after(mark, self._page)
        if recent is not None:
            return recent
        async with self._catching_up, self._database.connection() as connection:
            return await self._read(connection, mark)

    async def _read(self, connection: Connection, mark: Mark) -> Stretch:
        """Only transactions that have ended are read, so that a page with room left holds the last of them whole."""
        changes = await read_changes(connection, mark, self._page)
        return Stretch(changes, is_whole=len(changes) < self._page)

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
