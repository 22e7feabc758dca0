"""The last changes, in memory: readers who keep up cost no query of their own, and no look at what is behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from services.intake.store.changes import Mark, RequestChange


@dataclass(frozen=True, slots=True)
class Stretch:
    """Changes that follow each other.

    Attributes:
        is_whole: nothing follows of the transaction of the last one.
    """

    changes: Sequence[RequestChange]
    is_whole: bool

    @property
    def nameless_end(self) -> Mark:
        """Whoever goes on from here misses nothing behind these changes, and is told of no request by it.

        It is as near to their end as a transaction begins: a mark within one has to name a request.
        """
        return Mark(self.changes[-1].mark.transaction_id + self.is_whole)


class RecentChanges:
    """Attributes:
    head: how far they reach; None while nothing is followed.
    """

    def __init__(self, most: int) -> None:
        self._last: deque[RequestChange] = deque(maxlen=most)
        self._begin: Mark | None = None
        self._is_whole = True
        self.head: Mark | None = None

    def begin(self, mark: Mark) -> None:
        """What comes after ``mark`` will be added."""
        self._last.clear()
        self._begin = self.head = mark

    def forget(self) -> None:
        self._last.clear()
        self._begin = self.head = None

    def add(self, stretch: Stretch) -> None:
        """The next ones after the head."""
        for change in stretch.changes:
            if len(self._last) == self._last.maxlen:
                self._begin = self._last[0].mark
            self._last.append(change)
            self.head = change.mark
        self._is_whole = stretch.is_whole

    def after(self, mark: Mark, count: int) -> Stretch | None:
        """The next changes, at most ``count``; None where some of them are not kept."""
        if self._begin is None or self.head is None or mark < self._begin:
            return None
        if mark >= self.head:
            return Stretch((), is_whole=True)
        newer = list(takewhile(lambda change: change.mark > mark, reversed(self._last)))[::-1]
        return Stretch(newer[:count], is_whole=self._is_whole and len(newer) <= count)
