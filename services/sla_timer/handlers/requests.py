"""Request events change clocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.decisions import advance, start_clocks
from services.sla_timer.domain.history import RequestEvent, request_event
from services.sla_timer.domain.rules import Facts
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.tracked import TrackedRequest, lock_and_load
from shared.clock import Clock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestSubmitted
from shared.inbox import Received, Rejection
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import Trace, new_trace

Armed = Callable[[int, Sequence[Timer]], None]
"""Told which timers of a partition were set; their transaction may not be committed yet."""


class RequestHandler:
    """Folds each event into its request's history and reads the clocks again, as of the instant intake recorded it.

    Reading as of that instant, not of now, makes a backlog decide what an undisturbed run would have decided: a breach
    that the next event of the backlog prevents is never said.
    """

    def __init__(self, rulebooks: Rulebooks, clock: Clock, outbox: Outbox, armed: Armed) -> None:
        self._rulebooks = rulebooks
        self._clock = clock
        self._outbox = outbox
        self._armed = armed

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        ids = {received.event.subject for received in batch}
        requests = await lock_and_load(connection, ids)
        changes = Batch(self._clock.now(), self._clock.speed, by="event")
        rejections = [
            rejection
            for received in batch
            if (rejection := await self._apply(connection, received, requests, changes)) is not None
        ]
        await changes.write(connection, self._outbox)
        for partition, timers in changes.rearmed.items():
            self._armed(partition, timers)
        return rejections

    async def _apply(
        self, connection: Connection, received: Received, requests: dict[UUID, TrackedRequest], changes: Batch
    ) -> Rejection | None:
        event = received.event
        entry = request_event(event) if isinstance(event, Event) else None
        if not isinstance(event, Event) or entry is None:
            return Rejection(received.record, "not_a_request_event", "clocks hear only the life of requests")
        request = requests.get(event.subject)
        trace = new_trace(event.correlation_id, event.traceparent)
        if isinstance(event.data, RequestSubmitted):
            if request is not None:
                return Rejection(received.record, "request_already_tracked", "the request was submitted before")
            self._submit(event, event.data, entry, received.partition, requests, changes, trace)
            return None
        if request is None:
            return Rejection(received.record, "request_unknown", "its submission never came")
        if all(known.sequence != entry.sequence for known in request.history):
            await self._evolve(connection, request, entry, received.partition, changes, trace)
        return None

    def _submit(
        self,
        event: Event[Payload],
        submitted: RequestSubmitted,
        entry: RequestEvent,
        partition: int,
        requests: dict[UUID, TrackedRequest],
        changes: Batch,
        trace: Trace,
    ) -> None:
        rulebook = self._rulebooks.current
        facts = Facts.of(submitted)
        policy = rulebook.policy_for(facts)
        request = TrackedRequest(
            request_id=event.subject,
            reference=submitted.reference,
            facts=facts,
            policy=policy.code,
            policy_version=rulebook.version,
            partition=partition,
            said=0,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
        )
        requests[event.subject] = request
        changes.track(request)
        changes.remember(request, entry)
        case = Case(event.subject, submitted.reference, facts, policy, rulebook, tuple(request.history))
        for step in start_clocks(case, entry.recorded_at):
            changes.take(request, case, step, trace)

    async def _evolve(
        self,
        connection: Connection,
        request: TrackedRequest,
        entry: RequestEvent,
        partition: int,
        changes: Batch,
        trace: Trace,
    ) -> None:
        request.partition = partition
        changes.remember(request, entry)
        case = await load_case(connection, self._rulebooks, request)
        for clock in list(request.clocks.values()):
            changes.take(request, case, advance(case, clock, entry.recorded_at), trace)


async def load_case(connection: Connection, rulebooks: Rulebooks, request: TrackedRequest) -> Case:
    """The request under the rulebook it was started with."""
    rulebook = await rulebooks.at(connection, request.policy_version)
    return Case(
        request_id=request.request_id,
        reference=request.reference,
        facts=request.facts,
        policy=rulebook.policy(request.policy),
        rulebook=rulebook,
        history=tuple(request.history),
    )
