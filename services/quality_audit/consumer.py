"""Translates request and clock events, of either topic first, into what this service does with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import cast
from uuid import UUID

from services.quality_audit.domain.period import period_of
from services.quality_audit.domain.standing import MOVING, moved
from services.quality_audit.domain.timeliness import ClockFate, after
from services.quality_audit.domain.working import who_worked
from services.quality_audit.handlers.framing import Closing, Framing
from services.quality_audit.store import requests
from services.quality_audit.store.requests import ClockKey
from shared.contracts.clocks import ClockPayload, ClockStarted
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestClosed, RequestSubmitted
from shared.contracts.topics import CLOCKS, REQUESTS, TOPIC_BY_NAME, Topic
from shared.errors import Rejected
from shared.inbox import Received, Rejection
from shared.kafka import Record
from shared.postgres import Connection

TOPICS: tuple[Topic, ...] = (REQUESTS, CLOCKS)

_CUSTOMER = "customer"


class QualityEvents:
    """The inbox's handler. Order matters only within a request and a topic, which is what Kafka keeps."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        rejections: list[Rejection] = []
        events: list[Event[Payload]] = []
        closings: list[Closing] = []
        moves: defaultdict[UUID, list[Event[Payload]]] = defaultdict(list)
        records: list[Record] = []
        for received in batch:
            try:
                event = _checked(received)
            except Rejected as problem:
                rejections.append(Rejection(received.record, problem.reason, problem.detail))
                continue
            events.append(event)
            if isinstance(event.data, RequestClosed):
                before = tuple(moves.get(event.subject, ()))
                closings.append(Closing(cast("Event[RequestClosed]", event), before))
                records.append(received.record)
            elif isinstance(event.data, MOVING):
                moves[event.subject].append(event)
        await _remember(connection, events)
        refused = await self._framing.close(connection, closings) if closings else []
        if moves:
            await _follow(connection, moves)
        return [*rejections, *(Rejection(records[r.number], r.reason, r.detail) for r in refused)]


async def _remember(connection: Connection, events: Sequence[Event[Payload]]) -> None:
    payloads = [event.data for event in events]
    submitted = [payload for payload in payloads if isinstance(payload, RequestSubmitted)]
    if submitted:
        await requests.remember_requests(connection, submitted)
    worked = [(event.subject, who) for event in events for who in who_worked(event)]
    if worked:
        await requests.remember_handlers(connection, worked)
    # What another team or a supplier promised us is not what the customer was promised.
    clocks = [payload for payload in payloads if isinstance(payload, ClockPayload) and payload.party == _CUSTOMER]
    if clocks:
        await _follow_clocks(connection, clocks)


async def _follow(connection: Connection, moves: Mapping[UUID, Sequence[Event[Payload]]]) -> None:
    """Passes over requests that are not known."""
    known = await requests.lock_requests(connection, moves)  # in the order in which everybody locks them
    standings = {id_: reduce(moved, moves[id_], request.standing) for id_, request in known.items()}
    await requests.store_standings(connection, standings)


async def _follow_clocks(connection: Connection, news: Sequence[ClockPayload]) -> None:
    keys: set[ClockKey] = {(clock.clock_id, clock.cycle) for clock in news}
    known: dict[ClockKey, ClockFate] = await requests.load_fates(connection, keys)
    latest: dict[ClockKey, ClockPayload] = {}
    started_ats: dict[ClockKey, datetime] = {}
    for clock in news:
        key = (clock.clock_id, clock.cycle)
        known[key] = after(known.get(key), clock)
        latest[key] = clock
        if isinstance(clock, ClockStarted):
            started_ats[key] = clock.started_at
    await requests.store_fates(connection, [(latest[key], known[key]) for key in latest], started_ats)


def _checked(received: Received) -> Event[Payload]:
    """Raises:
    Rejected: it cannot be an event of its topic.
    """
    event = received.event
    if not isinstance(event, Event):
        raise Rejected("unexpected_tombstone", "a record without a value has no meaning on this topic")
    if not isinstance(event.data, TOPIC_BY_NAME[received.topic].payloads):
        raise Rejected("unexpected_type", f"{event.data.event_type()} does not belong on this topic")
    if getattr(event.data, "request_id", None) != event.subject:
        raise Rejected("subject_mismatch", "the subject is not the request id of the payload")
    if isinstance(event.data, RequestClosed):
        _check_period(event.occurred_at)
    return event


def _check_period(closed_at: datetime) -> None:
    try:
        period_of(closed_at)
    except ValueError:
        raise Rejected("no_period", "it was closed outside the calendar of the quarters") from None
