"""Gathers what a batch of events or timers does to clocks, and writes it in few statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter, Histogram

from services.sla_timer.domain.announcements import ENDINGS, Announcement
from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.decisions import Step
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.store.changes import Changes, MadeDecision, save
from services.sla_timer.store.tracked import TrackedRequest
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.topics import CLOCKS
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import Trace, child

SOURCE = "/punctual/sla_timer"

DECIDED = Counter(
    "punctual_sla_timer_decisions_total", "Warnings, breaches and escalations decided.", ["kind", "objective", "by"]
)
WITHDRAWN = Counter("punctual_sla_timer_withdrawn_total", "Decisions withdrawn by late news.", ["kind", "objective"])
LATENESS = Histogram(
    "punctual_sla_timer_lateness_milliseconds",
    "Real milliseconds between the instant a decision became true and its recording.",
    ["kind", "by"],  # by: timer, or event where the news came after the instant
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000, 600_000),
)
PROMISES = Counter(
    "punctual_sla_timer_promises_total",
    "Clocks that ended with a verdict: met, or missed.",
    ["request_kind", "objective"],
)
PROMISES_KEPT = Counter(
    "punctual_sla_timer_promises_kept_total", "Clocks that were met.", ["request_kind", "objective"]
)


class Batch:
    """One transaction's worth of changes. The holder has the row locks of all requests in it.

    Metrics count what was decided; a batch that is rolled back and repeated counts again.
    """

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
        self._new: set[object] = set()
        self._events: list[Event[Payload]] = []

    @property
    def rearmed(self) -> dict[int, list[Timer]]:
        """The timers set, by partition."""
        armed: dict[int, list[Timer]] = {}
        for clock_id, timers in self._changes.rearmed.items():
            armed.setdefault(self._changes.clocks[clock_id][1], []).extend(timers)
        return armed

    def track(self, request: TrackedRequest) -> None:
        """A request not known before."""
        self._changes.new_requests.append(request)
        self._new.add(request.request_id)

    def remember(self, request: TrackedRequest, event: RequestEvent) -> None:
        """An entry of a history; it may have come later than entries said after it."""
        request.history.append(event)
        request.history.sort(key=lambda entry: entry.sequence)
        self._changes.events.append((request.request_id, event))

    def take(self, request: TrackedRequest, case: Case, step: Step, trace: Trace) -> None:
        """What an event or a timer did to one clock of a request."""
        if not step.is_changed:
            return
        clock = step.clock
        objective = case.policy.objective(clock.objective)
        request.clocks[clock.clock_id] = clock
        self._changes.clocks[clock.clock_id] = (clock, request.partition)
        if step.is_rearmed or clock.clock_id in self._changes.rearmed:  # what this batch armed it may decide too
            self._changes.rearmed[clock.clock_id] = clock.timers(objective.ladder)
        self._withdraw(step)
        self._decide(step)
        self._say(request, step.announcements, trace)
        self._count_verdict(case, step)

    def settle(self, request: TrackedRequest, case: Case, step: Step, timer: Timer) -> None:
        """See to it that a timer that was fired does not come again, whatever its row said.

        A row whose rung is still to come stood at a wrong instant: the clock's timers are set anew.
        """
        clock = step.clock
        ladder = case.policy.objective(clock.objective).ladder
        timers = clock.timers(ladder)
        if (timer.cycle, timer.key) in {(pending.cycle, pending.key) for pending in timers}:
            self._changes.clocks[clock.clock_id] = (clock, request.partition)
            self._changes.rearmed[clock.clock_id] = timers
        else:
            self._changes.settled.append(timer)

    async def write(self, connection: Connection, outbox: Outbox) -> None:
        await save(connection, self._changes, self._now)
        await outbox.append(connection, CLOCKS, self._events)

    def _withdraw(self, step: Step) -> None:
        for withdrawal in step.withdrawals:
            WITHDRAWN.labels(withdrawal.key.kind, step.clock.objective).inc()
            for made in self._changes.decisions:
                mine = made.decision
                if made.withdrawn_at is None and (mine.clock_id, mine.cycle, mine.key) == (
                    withdrawal.clock_id,
                    withdrawal.cycle,
                    withdrawal.key,
                ):
                    made.withdrawn_at = self._now
                    break
            else:
                self._changes.withdrawals.append(withdrawal)

    def _decide(self, step: Step) -> None:
        for decision in step.decisions:
            recorded_at = max(self._now, decision.true_at)
            lateness_ms = (recorded_at - decision.true_at).total_seconds() * 1000 / self._speed
            self._changes.decisions.append(MadeDecision(decision, recorded_at, lateness_ms))
            DECIDED.labels(decision.key.kind, step.clock.objective, self._by).inc()
            LATENESS.labels(decision.key.kind, self._by).observe(lateness_ms)

    def _say(self, request: TrackedRequest, announcements: Sequence[Announcement], trace: Trace) -> None:
        for announcement in announcements:
            request.said += 1
            span = child(trace)
            self._events.append(
                Event(
                    id=new_id(),
                    source=SOURCE,
                    subject=request.request_id,
                    sequence=request.said,
                    occurred_at=announcement.occurred_at,
                    recorded_at=max(self._now, announcement.occurred_at),
                    correlation_id=span.correlation_id,
                    traceparent=span.traceparent,
                    data=announcement.data,
                )
            )
        if announcements and request.request_id not in self._new:
            self._changes.known_requests[request.request_id] = request

    def _count_verdict(self, case: Case, step: Step) -> None:
        verdict = step.clock.reading.is_kept
        if verdict is None or not any(isinstance(a.data, ENDINGS) for a in step.announcements):
            return
        labels = case.facts.kind, step.clock.objective
        PROMISES.labels(*labels).inc()
        if verdict:
            PROMISES_KEPT.labels(*labels).inc()
