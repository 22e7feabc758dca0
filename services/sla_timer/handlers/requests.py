"""Request events change clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.deadlines import LONGEST_EXTENSION
from services.sla_timer.domain.decisions import start
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, Origin, RequestEvent, means_nothing, request_event
from services.sla_timer.domain.rules import Mode
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.evolving import evolve
from services.sla_timer.handlers.loading import Loading, requests_in_hand
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.shelf import Epochs, Shelf
from services.sla_timer.store.tracked import TrackedRequest
from shared.clock import Clock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import OPERATIONS
from shared.errors import Rejected
from shared.inbox import Ownership, Received, Rejection
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import Trace

_MOST_SECONDS = LONGEST_EXTENSION.total_seconds()

_TELL_MODES = (Happening.SUBMITTED, Happening.MODE_CHANGED)

Armed = Callable[[int, Sequence[Timer]], None]
"""Told which timers of a partition were set, once they are committed."""


class RequestHandler:
    """Folds each event into its request's history and reads the clocks again, as of the instant intake recorded it.

    Reading as of that instant, not of now, makes a backlog decide what an undisturbed run would have decided: a breach
    that the next event of the backlog prevents is never said.
    """

    def __init__(
        self,
        database: Database,
        rulebooks: Rulebooks,
        modes: Modes,
        loading: Loading,
        shelf: Shelf,
        clock: Clock,
        outbox: Outbox,
        armed: Armed,
        ownership: Ownership,
    ) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._modes = modes
        self._loading = loading
        self._shelf = shelf
        self._clock = clock
        self._outbox = outbox
        self._armed = armed
        self._ownership_changes = 0
        self._followed_changes = -1
        ownership.on_change(self._on_ownership_change)

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        mark = self._shelf.mark()
        requests = requests_in_hand()
        await self._follow_former_owners()
        rejections = await self._declare(connection, [one for one in batch if one.topic == OPERATIONS.name])
        batch = [received for received in batch if received.topic != OPERATIONS.name]
        await self._take_replayed(connection, batch, requests)
        changes = Batch(self._clock.now(), self._clock.speed, by="event")
        rejections += [
            rejection for received in batch if (rejection := self._apply(received, requests, changes)) is not None
        ]
        await changes.write(connection, self._outbox)
        self._database.after_commit(connection, lambda: self._settle(requests.values(), mark, changes))
        return rejections

    def _on_ownership_change(self) -> None:
        self._ownership_changes += 1

    async def _follow_former_owners(self) -> None:
        """Learn what is in force before the first event of a partition that was taken.

        Its former owner may have finished telling its requests of a change that this process has not heard of. A
        request that begins without it would never hear of it.
        """
        changes = self._ownership_changes
        if changes != self._followed_changes:
            await self._rulebooks.follow()
            await self._modes.refresh()
            self._followed_changes = changes

    async def _declare(self, connection: Connection, batch: Sequence[Received]) -> list[Rejection]:
        """What was declared for the whole house."""
        rejections: list[Rejection] = []
        for received in batch:
            try:
                if isinstance(received.event, Event):
                    await self._modes.hear(connection, received.event)
            except Rejected as error:
                rejections.append(Rejection(received.record, error.reason, error.detail))
        return rejections

    async def _take_replayed(
        self, connection: Connection, batch: Sequence[Received], requests: dict[UUID, TrackedRequest]
    ) -> None:
        """Replayed dead letters have no place in the sequences, so their requests may not be in hand yet."""
        missing = [received.event.subject for received in batch if received.event.subject not in requests]
        if any(received.replay_of is not None for received in batch) and missing:
            requests.update(await self._loading.take(connection, missing))

    def _settle(self, requests: Iterable[TrackedRequest], mark: Epochs, changes: Batch) -> None:
        self._shelf.put_back(requests, mark)
        for partition, timers in changes.armed.items():
            self._armed(partition, timers)

    def _apply(self, received: Received, requests: dict[UUID, TrackedRequest], changes: Batch) -> Rejection | None:
        event = received.event
        if isinstance(event, Event) and means_nothing(event.data):
            return None
        entry = request_event(event) if isinstance(event, Event) else None
        if not isinstance(event, Event) or entry is None:
            return Rejection(received.record, "not_a_request_event", "clocks hear only the life of requests")
        if entry.happening is Happening.EXTENDED and (entry.details or {})["seconds"] > _MOST_SECONDS:
            return Rejection(received.record, "extension_too_long", "an extension is at most 366 days")
        request = requests.get(event.subject)
        trace = Trace(event.correlation_id, event.traceparent)
        if type(event.data) is RequestSubmitted:
            if request is not None:
                return Rejection(received.record, "request_already_tracked", "the request was submitted before")
            begun = self._submit(event, event.data, entry, received.partition, changes, trace)
            if received.replay_of is not None:
                begun.last_heard = None  # how much came while it was a dead letter is not known
            requests[event.subject] = begun
            return None
        if request is None:
            return Rejection(received.record, "request_unknown", "its submission never came")
        if request.partition != received.partition:
            changes.move_to(request, received.partition)
        if entry.sequence > request.last_sequence or all(
            known.sequence != entry.sequence or known.origin is not Origin.INTAKE for known in request.history
        ):
            self._catch_up(request, entry, changes, trace)
            evolve(self._loading.case, request, entry, changes, trace)
        return None

    def _catch_up(self, request: TrackedRequest, entry: RequestEvent, changes: Batch, trace: Trace) -> None:
        """Modes are told to requests on which something runs; what begins on another one begins in the mode of then."""
        if any(clock.reading.ended_at is None for clock in request.clocks.values()):
            return
        now = self._loading.case(request).now
        if not now.rulebook.modes:
            return
        told_at = max(known.occurred_at for known in request.history if known.happening in _TELL_MODES)
        ended_at = max((clock.reading.ended_at or told_at for clock in request.clocks.values()), default=told_at)
        mode = now.mode
        changes_since = self._modes.since(now.facts.market, told_at)
        for changed_at, changed in changes_since or [(entry.occurred_at, Mode.NORMAL)]:
            if changed is not mode:
                # What has ended stays as it is, and what is learned last comes after what was told before.
                mode, at = changed, max(changed_at, ended_at, told_at)
                recorded_at = max(at, entry.recorded_at)
                number = request.next_own_sequence
                told = RequestEvent(number, Happening.MODE_CHANGED, at, recorded_at, mode.value, None, Origin.HOUSE)
                evolve(self._loading.case, request, told, changes, trace)

    def _submit(
        self,
        event: Event[Payload],
        submitted: RequestSubmitted,
        entry: RequestEvent,
        partition: int,
        changes: Batch,
        trace: Trace,
    ) -> TrackedRequest:
        rulebook = self._rulebooks.current
        request = TrackedRequest(
            request_id=event.subject,
            reference=submitted.reference,
            facts=Facts.of(submitted),
            policy_version=rulebook.version,
            partition=partition,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
            stage=submitted.stage,
        )
        changes.track(request)
        changes.remember(request, entry)
        for number, (at, mode) in enumerate(self._modes.since(submitted.market, entry.occurred_at), start=1):
            recorded_at = max(at, entry.recorded_at)
            changes.remember(
                request,
                RequestEvent(number, Happening.MODE_CHANGED, at, recorded_at, mode.value, None, Origin.HOUSE),
            )
        case = self._loading.case(request)
        for step in start(case, entry.recorded_at):
            changes.take(request, case, step, trace)
        return request
