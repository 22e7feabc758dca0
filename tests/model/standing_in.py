"""Puts the store of the model where the service has its SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import Mock, patch
from uuid import UUID

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.evolving import evolve
from services.sla_timer.store import rollouts as stored
from services.sla_timer.store.changes import Changes
from services.sla_timer.store.modes import DeclaredMode
from services.sla_timer.store.tracked import TrackedRequest
from tests.model.memory import Transaction
from tests.model.service import Watch


@contextmanager
def standing_in(watch: Watch, seconds: Callable[[], float]) -> Iterator[None]:
    """Have the store asked where the service asks Postgres, and ``watch`` told of each thing done to a request."""

    async def load_requests(connection: Transaction, request_ids: Collection[UUID]) -> dict[UUID, TrackedRequest]:
        return connection.store.load(list(request_ids))

    async def save(connection: Transaction, changes: Changes, now: datetime) -> None:
        connection.saved = changes, now

    async def remember_heard(connection: Transaction, requests: Sequence[TrackedRequest]) -> None:
        heard = {request.request_id: request.last_heard for request in requests}

        def write() -> None:
            for request_id, last in heard.items():
                row = connection.store.rows[request_id]
                row.request = replace(row.request, last_heard=last)

        connection.writes.append(write)

    async def load_timers(
        connection: Transaction, partition: int, until: datetime, count: int, since: datetime | None = None
    ) -> list[Timer]:
        return connection.store.timers(partition, until, count, since)

    async def open_rollouts(connection: Transaction, partitions: Collection[int]) -> list[stored.Progress]:
        return [
            stored.Progress(
                stored.Rollout(rollout.number, rollout.version, rollout.ordered_at, "model"),
                partition,
                connection.store.progress[rollout.number, partition].reached,
            )
            for rollout in connection.store.rollouts
            for partition in sorted(partitions)
            if not connection.store.progress[rollout.number, partition].is_done
        ]

    async def running_requests(connection: Transaction, progress: stored.Progress, count: int) -> list[UUID]:
        return connection.store.running_requests(progress.partition, progress.reached, count)

    async def record_progress(
        connection: Transaction, progress: stored.Progress, reached: UUID | None, _: int, *, is_done: bool
    ) -> None:
        row = connection.store.progress[progress.rollout.rollout_id, progress.partition]

        def write() -> None:
            row.reached, row.is_done = reached or row.reached, is_done

        connection.writes.append(write)

    async def load_modes(connection: Transaction, since: datetime | None = None) -> list[DeclaredMode]:
        return [
            DeclaredMode(activation, "busy", "model", None, None, None)
            for activation in connection.store.activations
            if since is None or activation.left_at is None or activation.left_at >= since
        ]

    async def nothing(*_: object) -> None:
        """Nobody else is there."""

    def evolve_watched(case_of: Any, request: TrackedRequest, entry: RequestEvent, changes: Batch, trace: Any) -> None:
        before = len(changes._changes.decisions)
        evolve(case_of, request, entry, changes, trace)
        watch(request, changes, before)

    service = "services.sla_timer"
    replaced: dict[str, Any] = {
        f"{service}.store.shelf.load_requests": load_requests,
        f"{service}.handlers.loading.load_requests": load_requests,
        f"{service}.handlers.loading.remember_heard": remember_heard,
        f"{service}.handlers.batch.save": save,
        f"{service}.handlers.requests.request_event": lambda event: event.entry,
        f"{service}.handlers.requests.evolve": evolve_watched,
        f"{service}.handlers.rollouts.evolve": evolve_watched,
        f"{service}.handlers.rollouts.running_requests": running_requests,
        f"{service}.handlers.rollouts.record_progress": record_progress,
        f"{service}.store.modes.load_modes": load_modes,
        f"{service}.ticker.firing.load_timers": load_timers,
        f"{service}.ticker.firing.monotonic": seconds,
        f"{service}.ticker.firing._READ_AT_ONCE": 3,
        f"{service}.ticker.firing._log": Mock(),  # lost partitions are an everyday matter here
        f"{service}.ticker.rollouts.open_rollouts": open_rollouts,
        f"{service}.ticker.rollouts.close_rollouts": nothing,
    }
    with ExitStack() as stack:
        for name, stand_in in replaced.items():
            stack.enter_context(patch(name, stand_in))
        yield
