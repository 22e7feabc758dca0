"""Gathers what a batch of events or timers does to clocks, and writes it in few statements."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from services.sla_timer.domain.case import Case, extend_case, insert_entry
from services.sla_timer.domain.clocks import Clock, Timer
from services.sla_timer.domain.decisions import Step, Withdrawal
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.handlers import metrics
from services.sla_timer.store.changes import Changes, ClockPlace, MadeDecision, save
from services.sla_timer.store.tracked import TrackedRequest
from shared.contracts.envelope import event_headers, type_bytes
from shared.contracts.texts import instant_bytes, to_json, uuid_bytes
from shared.contracts.topics import CLOCKS
from shared.ids import new_id
from shared.outbox import EncodedRecord, Outbox
from shared.postgres import Connection
from shared.telemetry.context import Trace, child

_SOURCE = b"/punctual/sla_timer"


class Batch:
    """One transaction's worth of changes. The holder owns the partitions of all requests in it."""

    def __init__(self, now: datetime, speed: float, *, by: str) -> None:
        """Args:
        now: business time.
        speed: business seconds per real second.
        by: ``event`` or ``timer``.
        """
        self._now = now
        self._speed = speed
        self._by = by
        self._changes = Changes()
        self._records: list[EncodedRecord] = []
        self._now_text = instant_bytes(now)
        self._verdicts: Counter[tuple[str, str, str, bool]] = Counter()
        self._rearmed: dict[ClockPlace, tuple[int, Timer | None]] = {}
        self._new: set[object] = set()

    @property
    def armed(self) -> dict[int, list[Timer]]:
        """The timers set, by partition."""
        found: dict[int, list[Timer]] = {}
        for partition, timer in self._rearmed.values():
            if timer is not None:
                found.setdefault(partition, []).append(timer)
        return found

    def track(self, request: TrackedRequest) -> None:
        """A request not known before."""
        self._changes.new_requests.append(request)
        self._new.add(request.request_id)

    def remember(self, request: TrackedRequest, event: RequestEvent) -> None:
        """An entry of a history; it may have come later than entries said after it."""
        history = request.history
        if history and history[-1].origin is event.origin and history[-1].sequence < event.sequence:
            history.append(event)
        else:
            request.history = history = insert_entry(history, event)
        request.case = extend_case(request.case, history, event) if request.case is not None else None
        self._changes.events.append((request.request_id, event))
        if event.happening is Happening.STAGE_ENTERED:
            request.stage = event.value
            self._move(request)
        elif event.happening is Happening.ASSIGNED:
            self._assign(request, event)

    def _assign(self, request: TrackedRequest, event: RequestEvent) -> None:
        """Where no team is told, it stays with the one that it had, unless the event says that it was given back."""
        is_given_back = "team" in (event.details or {}).get("cleared", ())
        team = None if is_given_back else event.value or request.team
        if team != request.team:
            request.team = team
            self._move(request)

    def move_to(self, request: TrackedRequest, partition: int) -> None:
        """The request is heard on another partition than before; its clocks move with it."""
        for clock in request.clocks.values():
            place = (clock.request_id, clock.objective, clock.cycle)
            state = clock.reading.state.value
            self._changes.counts[request.partition, clock.objective, state] -= 1
            self._changes.counts[partition, clock.objective, state] += 1
            self._changes.clocks[place] = (clock, partition)
            self._rearmed[place] = (partition, clock.timer)
        request.partition = partition
        self._move(request)

    def take(self, request: TrackedRequest, case: Case, step: Step, trace: Trace) -> None:
        """What an event or a timer did to one clock of a request."""
        clock = self._say(request, step, trace)
        request.clocks[clock.objective, clock.cycle] = clock
        place = (clock.request_id, clock.objective, clock.cycle)
        is_new = step.before is None or place in self._changes.new_clocks
        (self._changes.new_clocks if is_new else self._changes.clocks)[place] = (clock, request.partition)
        if step.is_rearmed:
            self._rearmed[place] = (request.partition, clock.timer)
        state = clock.reading.state
        if step.before is None or step.before.reading.state is not state:
            counts = self._changes.counts
            counts[request.partition, clock.objective, state.value] += 1
            if step.before is not None:
                counts[request.partition, clock.objective, step.before.reading.state.value] -= 1
        for withdrawal in step.withdrawals:
            self._withdraw(withdrawal, clock.objective)
        if step.decisions:
            self._decide(step)
        self._count_verdict(case, step)

    async def write(self, connection: Connection, outbox: Outbox) -> None:
        await save(connection, self._changes, self._now)
        await outbox.append_encoded(connection, CLOCKS, self._records)
        for (kind, objective, party, is_kept), number in self._verdicts.items():
            metrics.PROMISES.labels(kind, objective, party).inc(number)
            if is_kept:
                metrics.PROMISES_KEPT.labels(kind, objective, party).inc(number)

    def _move(self, request: TrackedRequest) -> None:
        if request.request_id not in self._new:  # a new one is inserted as it is at the end of the batch
            self._changes.moved_requests[request.request_id] = request

    def _say(self, request: TrackedRequest, step: Step, trace: Trace) -> Clock:
        if not step.announcements:
            return step.clock
        subject = uuid_bytes(request.request_id)
        correlation_id = trace.correlation_id.encode()
        for announcement in step.announcements:
            request.said += 1
            occurred_at = announcement.occurred_at
            headers = event_headers(
                uuid_bytes(new_id()),
                _SOURCE,
                type_bytes(announcement.kind),
                subject,
                instant_bytes(occurred_at),
                b"%d" % request.said,
                self._now_text if occurred_at <= self._now else instant_bytes(occurred_at),
                correlation_id,
                child(trace).traceparent.encode(),
            )
            self._records.append((subject, to_json(announcement.fields), headers))
        return step.clock.having_said(request.said)

    def _withdraw(self, withdrawal: Withdrawal, objective: str) -> None:
        metrics.WITHDRAWN.labels(withdrawal.key.kind, objective).inc()
        for made in self._changes.decisions:
            mine = made.decision
            if made.withdrawn_at is None and (mine.clock_id, mine.cycle, mine.key) == (
                withdrawal.clock_id,
                withdrawal.cycle,
                withdrawal.key,
            ):
                made.withdrawn_at = max(self._now, made.recorded_at)
                return
        self._changes.withdrawals.append(withdrawal)

    def _decide(self, step: Step) -> None:
        for decision in step.decisions:
            recorded_at = max(self._now, decision.true_at)
            lateness_ms = (recorded_at - decision.true_at).total_seconds() * 1000 / self._speed
            self._changes.decisions.append(MadeDecision(decision, recorded_at, lateness_ms))
            metrics.DECIDED.labels(decision.key.kind, step.clock.objective, self._by).inc()
            metrics.LATENESS.labels(decision.key.kind, self._by).observe(lateness_ms)

    def _count_verdict(self, case: Case, step: Step) -> None:
        is_kept = step.clock.reading.is_kept
        has_ended = step.before is None or step.before.reading.ended_at is None
        if is_kept is not None and has_ended:
            self._verdicts[case.now.facts.kind, step.clock.objective, step.clock.party, is_kept] += 1
