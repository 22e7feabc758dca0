"""Requests that were worked on lately, in memory, so that their next event needs no read.

What lies here equals what Postgres holds. Whoever works on requests of a partition owns it and keeps this process's
other tasks off it, takes them off the shelf first, and puts them back only when the transaction has committed. One
that failed, or whose outcome is unknown, leaves them off; they are read again. What was put there under an epoch that
is over is not used.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

from services.sla_timer.store.tracked import TrackedRequest, load_requests
from shared.postgres import Connection

Epochs = Mapping[int, int]
"""Partition to the epoch under which this process owns it."""


class Shelf:
    """Holds the most recently used requests.

    Args:
        most: how many; each takes a few kilobytes.
        epochs: the partitions owned now.
    """

    def __init__(self, most: int, epochs: Callable[[], Epochs]) -> None:
        self._most = most
        self._epochs = epochs
        self._requests: OrderedDict[UUID, tuple[int, TrackedRequest]] = OrderedDict()
        self._expected: set[UUID] = set()

    def __len__(self) -> int:
        return len(self._requests)

    async def take(self, connection: Connection, request_ids: Collection[UUID]) -> dict[UUID, TrackedRequest]:
        """The requests that are known; they are off the shelf until they are put back."""
        epochs = self._epochs()
        taken: dict[UUID, TrackedRequest] = {}
        missing: list[UUID] = []
        self._expected.difference_update(request_ids)
        for request_id in request_ids:
            epoch, request = self._requests.pop(request_id, (0, None))
            if request is None or epochs.get(request.partition) != epoch:
                missing.append(request_id)
            else:
                taken[request_id] = request
        if missing:
            taken |= await load_requests(connection, missing)
        return taken

    def expect(self, request_ids: Iterable[UUID]) -> list[UUID]:
        """Those that do not lie here and are going to be read from a snapshot.

        Nobody else is at work on their partitions while this is called and the snapshot is taken. From then on a
        request that somebody takes is no longer expected, since the snapshot may be older than what comes of that.
        """
        missing = [request_id for request_id in dict.fromkeys(request_ids) if request_id not in self._requests]
        self._expected = set(missing)
        return missing

    def put_expected(self, requests: Iterable[TrackedRequest], mark: Epochs) -> None:
        """They were read from the snapshot.

        Args:
            mark: the epochs of the partitions that were quiet when it was taken.
        """
        self.put_back([request for request in requests if request.request_id in self._expected], mark)

    def mark(self) -> Epochs:
        """The epochs of now, to be given back with what is put back; ask for them inside the transaction."""
        return dict(self._epochs())

    def put_back(self, requests: Iterable[TrackedRequest], mark: Epochs) -> None:
        """Their transaction has committed."""
        epochs = self._epochs()
        for request in requests:
            epoch = mark.get(request.partition)
            if epoch is not None and epochs.get(request.partition) == epoch:
                self._requests[request.request_id] = epoch, request
        while len(self._requests) > self._most:
            self._requests.popitem(last=False)
