"""What waits for the next transaction of a lane."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from services.intake.handlers.offers import Offer

MOST_OFFERS = 500
"""In one transaction: the wait for the disk is then some microseconds for each; more would only wait for each other."""

MOST_BYTES = 4_000_000
"""In one transaction, so that Postgres gets no giant statement; only requests far above the usual kilobyte reach it."""


class Lane:
    """Two queues: a batch has many that can wait, a single request has somebody who does."""

    def __init__(self) -> None:
        self._single: deque[Offer] = deque()
        self._of_batches: deque[Offer] = deque()

    def __bool__(self) -> bool:
        return bool(self._single or self._of_batches)

    def add(self, offer: Offer) -> None:
        (self._of_batches if offer.is_of_batch else self._single).append(offer)

    @property
    def single(self) -> Iterable[Offer]:
        """Those that somebody waits for."""
        return self._single

    def part_with(self, is_leaving: Callable[[Offer], bool]) -> Lane:
        """Those that leave, in a lane of their own; all keep their order."""
        leaving = Lane()
        for queue in (self._single, self._of_batches):
            for _ in range(len(queue)):
                offer = queue.popleft()
                (leaving if is_leaving(offer) else self).add(offer)
        return leaving

    def gather(self) -> list[Offer]:
        """The next group, up to the bounds of a transaction; at least one."""
        group: list[Offer] = []
        size = 0
        for queue in (self._single, self._of_batches):
            while queue and len(group) < MOST_OFFERS and (not group or size + queue[0].size <= MOST_BYTES):
                group.append(queue.popleft())
                size += group[-1].size
        return group
