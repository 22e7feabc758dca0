"""Requests that arrive while a transaction is under way are committed by the next one, all at once.

Durability costs a wait for the disk per transaction, not per request. Nothing waits on purpose: a request that finds
its lane idle is committed at once, alone. The busier it is, the larger the groups.

A customer always has the same **lane**, and a lane runs one transaction at a time. So two requests of one customer
never wait for each other's row, and a customer's details are stored in the order they came in, but for single requests,
which go before the lines of batches. When a group fails because of one of its members, all of it leaves the lane:
`Aside` finds out whose fault it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain

from prometheus_client import Histogram

from services.intake.handlers.aside import Aside
from services.intake.handlers.customer_keys import CustomerKeys
from services.intake.handlers.door import Door
from services.intake.handlers.lane import Lane
from services.intake.handlers.offers import Offer, Outcome, Overloaded
from services.intake.handlers.taking_in import take_in
from services.intake.handlers.validation import Validation
from services.intake.store.answers import KeyInFlight
from services.intake.store.submissions import Arrival, CustomerBusy
from shared.clock import monotonic
from shared.errors import DatabaseUnavailable
from shared.outbox import Outbox
from shared.postgres import Database
from shared.telemetry.context import Trace

GROUP_SIZE = Histogram(
    "punctual_intake_group_size",
    "Requests that one transaction tried to take in.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
QUEUE_SECONDS = Histogram(
    "punctual_intake_queue_seconds",
    "Time the oldest request of a group had waited when its transaction began.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_LANES = 2  # Python makes one group while Postgres stores the other; more lanes make smaller groups

_ASIDE = _LANES
"""Names the transaction of those aside, as their numbers name those of the lanes."""

_LOCK_PATIENCE = timedelta(milliseconds=100)
"""How long a whole group waits for a lock: longer than a healthy transaction of another process holds one, and not
long for those who wait along with it."""


class GroupCommit:
    """Takes requests in. It works without running; as a component it ends when the service stops and nothing waits.

    Args:
        key_patience: how long a request waits for a key or a customer that another transaction holds, real time.
        queue_limit: requests that may wait; beyond it they are refused.
        queue_patience: how long the oldest may have waited, real time; beyond it single ones are refused.
        call_patience: after this long, real time, who brought a single one is told that it still waits.
        validation: says what a likely duplicate is, and is told of what was taken in; None leaves both out.

    Attributes:
        stopping: what is offered is still taken in, but whoever offers without end should end.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        *,
        customer_keys: CustomerKeys,
        key_patience: timedelta,
        queue_limit: int = 4_000,
        queue_patience: timedelta = timedelta(seconds=5),
        call_patience: timedelta = timedelta(seconds=10),
        validation: Validation | None = None,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._customer_keys = customer_keys
        self._key_patience = key_patience
        self._queue_limit = queue_limit
        self._validation = validation
        self._lanes = [Lane() for _ in range(_LANES)]
        self._lanes_at_work: dict[int, asyncio.Task[None]] = {}
        self._aside = Aside(partial(self._attempt, _ASIDE), self._settle)
        self._aside_at_work: asyncio.Task[None] | None = None
        self._door = Door(queue_patience, call_patience, self._not_under_way)
        self._waiting = 0
        self._has_room = asyncio.Event()
        self.stopping = asyncio.Event()

    def offer(
        self, make: Callable[..., Arrival], size: int, trace: Trace, *, is_of_batch: bool = False
    ) -> asyncio.Future[Outcome]:
        """Have a request taken in. The future tells what became of it; the work goes on even if nobody waits for it.

        Where it takes too long, the future tells just that, and what becomes of it is told to who asks with its key.

        Args:
            make: names the request and makes its answer; called again when a name is taken already, and with the
                requests that it is likely a duplicate of.
            size: bytes it came in.
            is_of_batch: single requests go before it.

        Raises:
            Overloaded: too many wait, or one has waited for too long.
        """
        offered_at = monotonic()
        if self._waiting >= self._queue_limit or (offered_at > self._door.closes_at and not is_of_batch):
            raise Overloaded("too many requests wait to be taken in, or for too long")
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        offer = Offer(make, make(), size, trace, offered_at, outcome, is_of_batch=is_of_batch)
        self._waiting += 1
        if self._aside.has(offer.subject):
            self._aside.follow([offer])
            self._start_aside()
        else:
            number = hash(offer.subject) % _LANES
            self._lanes[number].add(offer)
            if number not in self._lanes_at_work:
                self._lanes_at_work[number] = asyncio.create_task(self._work(number))
        return outcome

    @property
    def is_crowded(self) -> bool:
        """Half of the places are taken: who brings many has to wait, so that single requests find room."""
        return self._waiting >= self._queue_limit // 2

    async def room(self) -> None:
        """Return when it is not crowded."""
        while self.is_crowded:
            self._has_room.clear()
            await self._has_room.wait()

    async def run(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self.stopping.set()
        await self.finish()

    async def finish(self) -> None:
        """Return when nothing waits any more."""
        while tasks := [*self._lanes_at_work.values(), *([self._aside_at_work] if self._aside_at_work else [])]:
            await asyncio.wait(tasks)

    async def _work(self, number: int) -> None:
        lane = self._lanes[number]
        try:
            while lane:
                group = lane.gather()
                failure = await self._attempt(number, group, min(_LOCK_PATIENCE, self._key_patience))
                if failure is not None:
                    self._leave(lane, group, failure)
        finally:
            del self._lanes_at_work[number]  # here and not in a callback: what is offered next must find it gone

    def _leave(self, lane: Lane, group: Sequence[Offer], failure: Exception) -> None:
        """A group goes aside, and what came meanwhile for its customers goes after it, before anything else comes."""
        self._aside.take_over(group, failure)
        followers = lane.part_with(lambda offer: self._aside.has(offer.subject))
        while followers:
            self._aside.follow(followers.gather())
        self._start_aside()

    def _start_aside(self) -> None:
        if self._aside_at_work is None:
            self._aside_at_work = asyncio.create_task(self._work_aside())

    async def _work_aside(self) -> None:
        try:
            await self._aside.work()
        finally:
            self._aside_at_work = None

    def _not_under_way(self) -> Iterator[Offer]:
        return chain(self._aside.waiting(), *(lane.single for lane in self._lanes))

    async def _attempt(self, number: int, group: Sequence[Offer], patience: timedelta) -> Exception | None:
        """Settle the group, or give the failure of which one member is guilty."""
        began_at = monotonic()
        self._door.begin(number, group, began_at)
        GROUP_SIZE.observe(len(group))
        QUEUE_SECONDS.observe(began_at - group[0].offered_at)
        try:
            outcomes = await take_in(
                self._database, self._outbox, group, patience, self._customer_keys, self._validation
            )
        except DatabaseUnavailable as error:
            outcomes = [DatabaseUnavailable(str(error)) for _ in group]  # whoever raises one adds to its trace
        except (KeyInFlight, CustomerBusy) as error:
            for offer in group:
                offer.give_up_at = offer.give_up_at or began_at + self._key_patience.total_seconds()
            return error
        except Exception as error:  # noqa: BLE001  also a fault of ours must hit the one request that shows it
            return error
        finally:
            self._door.end(number)
        for offer, outcome in zip(group, outcomes, strict=True):
            self._settle(offer, outcome)
        return None

    def _settle(self, offer: Offer, outcome: Outcome) -> None:
        self._waiting -= 1
        if offer.is_aside:
            self._aside.leave(offer)
        offer.settle(outcome)
        if not self.is_crowded:
            self._has_room.set()
