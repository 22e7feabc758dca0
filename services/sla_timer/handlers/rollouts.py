"""Brings new rules and modes to the requests that run already: an entry of its history for each."""

from __future__ import annotations

from collections.abc import Mapping

from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.evolving import evolve
from services.sla_timer.handlers.loading import Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.rollouts import Progress, record_progress, running_requests
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.store.tracked import TrackedRequest
from shared.clock import Clock
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import new_trace

_AT_ONCE = 200  # keeps a transaction to a fraction of a second, so that events and timers take turns with it


class RolloutHandler:
    """Tells the next requests of a partition; the caller owns it and holds its transaction."""

    def __init__(
        self,
        database: Database,
        rulebooks: Rulebooks,
        modes: Modes,
        loading: Loading,
        shelf: Shelf,
        clock: Clock,
        outbox: Outbox,
    ) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._modes = modes
        self._loading = loading
        self._shelf = shelf
        self._clock = clock
        self._outbox = outbox

    async def prepare(self) -> None:
        """Learn what is in force now; call it before any request is told.

        A request that comes after its partition was told begins under what this process knows then.
        """
        await self._rulebooks.follow()
        await self._modes.refresh()

    async def tell_some(self, connection: Connection, progress: Progress) -> tuple[bool, Batch]:
        """Whether the partition is done, and what was done to clocks, whose timers were set."""
        version = progress.rollout.policy_version
        if version is not None:
            await self._rulebooks.at(connection, version)
        mark = self._shelf.mark()
        found = await running_requests(connection, progress, _AT_ONCE)
        requests = await self._loading.take(connection, found)
        changes = Batch(self._clock.now(), self._clock.speed, by="event")
        told = 0
        for request_id in found:
            request = requests[request_id]
            entry = self._policy_entry(request, progress) if version is not None else None
            told += self._tell(request, entry, changes)
            # The rules that apply now may know a mode that those before had no budgets for.
            told += self._tell(request, self._mode_entry(request, progress), changes) if entry or version is None else 0
        await changes.write(connection, self._outbox)
        is_done = len(found) < _AT_ONCE
        reached = found[-1] if found else progress.reached
        await record_progress(connection, progress, reached, told, is_done=is_done)
        self._database.after_commit(connection, lambda: self._shelf.put_back(requests.values(), mark))
        return is_done, changes

    def _tell(self, request: TrackedRequest, entry: RequestEvent | None, changes: Batch) -> bool:
        if entry is not None:
            trace = new_trace(request.correlation_id, request.traceparent)
            evolve(self._loading.case, request, entry, changes, trace)
        return entry is not None

    def _policy_entry(self, request: TrackedRequest, progress: Progress) -> RequestEvent | None:
        version = progress.rollout.policy_version
        if self._loading.case(request).now.rulebook.version == version:
            return None
        details = {"version": version, "author": progress.rollout.author}
        return self._entry(request, progress, Happening.POLICY_APPLIED, str(version), details)

    def _mode_entry(self, request: TrackedRequest, progress: Progress) -> RequestEvent | None:
        if all(clock.reading.ended_at is not None for clock in request.clocks.values()):
            return None  # it is told when something begins
        now = self._loading.case(request).now
        mode = self._modes.in_force(now.facts.market)
        if mode is now.mode or now.rulebook.modes.isdisjoint({mode, now.mode}):
            return None
        return self._entry(request, progress, Happening.MODE_CHANGED, mode.value, None)

    def _entry(
        self,
        request: TrackedRequest,
        progress: Progress,
        happening: Happening,
        value: str,
        details: Mapping[str, object] | None,
    ) -> RequestEvent:
        now = self._clock.now()
        # What is learned last counts, so it comes after its like: a mode may be told long after it was entered, and by
        # a process whose clock lags behind the one that told the mode before.
        like = [entry.occurred_at for entry in request.history if entry.happening is happening]
        occurred_at = max([min(progress.rollout.ordered_at, now), request.history[0].occurred_at, *like])
        recorded_at = max(now, occurred_at)
        return RequestEvent(
            request.next_own_sequence, happening, occurred_at, recorded_at, value, details, Origin.HOUSE
        )
