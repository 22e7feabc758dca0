"""What must stand after a request's events, reckoned from scratch: nothing of the engine is used here.

Deliberately naive: the whole list of events is gone through for each promise, and time is counted by walking over
pauses. What is promised is in `kills_promises`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.campaign.kills_promises import ANY, PROMISES, WITHDRAWN, Promise, minutes
from tests.campaign.kills_told import Told

Rung = tuple[str, int]
"""Kind and level."""

Span = tuple[datetime, datetime]

NOTHING = timedelta(0)
URGENT = "urgent"
OVER = frozenset({"closed", "cancelled", "merged"})


@dataclass(slots=True)
class Answer:
    """One cycle of one promise, with everything decided about it, each with its instant."""

    state: str
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    is_paused: bool
    rungs: dict[Rung, datetime]


@dataclass(slots=True)
class _Cycle:
    started_at: datetime
    ended_at: datetime | None = None
    is_cancelled: bool = False
    resets: list[datetime] = field(default_factory=list)

    def holds(self, at: datetime, *, also_its_start: bool) -> bool:
        return (self.started_at < at or (also_its_start and self.started_at == at)) and (
            self.ended_at is None or at < self.ended_at
        )


@dataclass(slots=True)
class _Pauses:
    """Attributes:
    spans: in order, apart from each other.
    open_since: no span begins after it.
    alarms: when a pause had lasted too long, and since when it had lasted.
    """

    spans: list[Span]
    open_since: datetime | None
    alarms: list[tuple[datetime, datetime]]


def reckon(events: Sequence[Told], at: datetime) -> dict[tuple[str, int], Answer]:
    """Everything that stands at an instant, by promise and cycle.

    Args:
        events: in the order in which they were told, the submission first.
    """
    begun_at = events[0].occurred_at
    line: list[tuple[datetime, Told]] = []
    stage_at = begun_at
    for event in events:
        happened_at = max(begun_at, min(event.occurred_at, event.recorded_at))
        if event.what in {"stage_entered", "stage_left"}:  # these lead on from each other as they were told
            happened_at = stage_at = max(stage_at, happened_at)
        line.append((happened_at, event))
    line.sort(key=lambda entry: entry[0])
    found: dict[tuple[str, int], Answer] = {}
    for promise in PROMISES:
        pauses = _pauses(promise, events)
        for number, cycle in enumerate(_cycles(promise, line), start=1):
            found[promise.code, number] = _answer(promise, cycle, _within(pauses, cycle), line, at)
    return found


Line = Sequence[tuple[datetime, Told]]
"""Events in the order in which they occurred."""


def _cycles(promise: Promise, line: Line) -> list[_Cycle]:
    cycles: list[_Cycle] = []
    is_open, is_over = False, False
    exited: tuple[str | None, datetime] | None = None
    for at, event in line:
        words = event.words
        if event.what == "stage_left":
            exited = (event.value, at)
        elif event.what == "stage_entered" and (exited is None or exited[0] != event.left):
            exited = (event.left, at)
        if event.what in OVER:
            is_over = True
        elif event.what == "reopened":
            is_over = False
            exited = exited and (exited[0], at)
        if is_open:
            cycle = cycles[-1]
            is_cancel = event.what in {"cancelled", "merged"} or bool(words & {f"closed:{WITHDRAWN}", *promise.cancels})
            is_stop = bool(words & set(promise.stops))
            if is_cancel or is_stop or event.what == "closed":
                cycle.ended_at = max(at, cycle.started_at)
                cycle.is_cancelled = is_cancel or not is_stop
                is_open = False
            elif words & set(promise.resets):
                cycle.resets.append(at)
        if not is_open and not is_over and words & set(promise.starts):
            begins = exited[1] if promise.from_previous_exit and exited is not None else at
            if cycles and cycles[-1].ended_at is not None:
                begins = max(begins, cycles[-1].ended_at)  # no time counts for two cycles
            cycles.append(_Cycle(begins))
            is_open = True
    return cycles


def _pauses(promise: Promise, events: Sequence[Told]) -> _Pauses:
    since: dict[str, datetime] = {}
    ended: list[Span] = []

    def begin(name: str, at: datetime) -> None:
        since[name] = min(at, since.get(name, at))

    def end(name: str, at: datetime) -> None:
        begun_at = since.pop(name, None)
        if begun_at is not None and begun_at < at:
            ended.append((begun_at, at))

    for event in events:
        at = max(events[0].occurred_at, min(event.occurred_at, event.recorded_at))
        is_mine = ANY in promise.paused_by or event.value in promise.paused_by
        if event.what == "paused" and is_mine:
            begin(str(event.value), at)
        elif event.what == "resumed" and is_mine:
            end(str(event.value), at)
        elif event.what in OVER:  # nobody waits for a reason any more
            for name in set(since) - {promise.between[0] if promise.between is not None else None}:
                end(name, at)
        if promise.between is not None:
            if promise.between[1] in event.words:
                end(promise.between[0], at)
            if promise.between[0] in event.words:
                begin(promise.between[0], at)
    far = datetime.max.replace(tzinfo=events[0].occurred_at.tzinfo)
    return _limit(promise, _join([*ended, *((at, far) for at in since.values())]), far)


def _join(spans: Sequence[Span]) -> list[Span]:
    """Those that overlap or touch become one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _limit(promise: Promise, spans: Sequence[Span], far: datetime) -> _Pauses:
    alarms: list[tuple[datetime, datetime]] = []
    kept: list[Span] = []
    for start, end in spans:
        longest = start + minutes(promise.longest_pause) if promise.longest_pause is not None else far
        if longest < end:
            alarms.append((longest, start))
        kept.append((start, min(end, longest) if promise.pause_ends_itself else end))
    open_since = next((start for start, end in kept if end == far), None)
    return _Pauses([span for span in kept if span[1] != far], open_since, alarms)


def _within(pauses: _Pauses, cycle: _Cycle) -> _Pauses:
    """A cycle that has ended stands still no longer."""
    if cycle.ended_at is None:
        return pauses
    spans = list(pauses.spans)
    if pauses.open_since is not None:
        spans.append((pauses.open_since, cycle.ended_at))
    return _Pauses(
        [(start, min(end, cycle.ended_at)) for start, end in spans if start < cycle.ended_at], None, pauses.alarms
    )


def _later(start: datetime, span: timedelta, pauses: _Pauses) -> datetime | None:
    """When so much time has run since ``start``; nothing when a pause without end comes before."""
    at, left = start, span
    for begin, end in pauses.spans:
        if end <= at:
            continue
        if at + left <= begin:
            break
        left -= max(NOTHING, begin - at)
        at = end
    reached = at + left
    return None if pauses.open_since is not None and reached > pauses.open_since else reached


def _answer(promise: Promise, cycle: _Cycle, pauses: _Pauses, line: Line, at: datetime) -> Answer:
    begins, budget, moved_at, due_at = _deadline(promise, cycle, pauses, line)
    rungs: dict[Rung, datetime | None] = {}
    warnings = [_later(begins, budget * fraction, pauses) for fraction in promise.warned_after]
    warnings += [
        None if due_at is None else max(cycle.started_at, due_at - minutes(before)) for before in promise.warned_before
    ]
    for level, warned_at in enumerate(warnings, start=1):
        rungs["warning", level] = None if warned_at is None else max(warned_at, moved_at)
    for level, (alarm_at, since) in enumerate(pauses.alarms, start=1):
        if cycle.started_at <= alarm_at and (cycle.ended_at is None or since < cycle.ended_at):
            rungs["pause_alarm", level] = alarm_at
    rungs["breach", 1] = due_at
    for level, after in enumerate(_escalations(promise), start=1):
        rungs["escalation", level] = None if due_at is None else _later(due_at, minutes(after), pauses)
    came = {
        rung: instant
        for rung, instant in rungs.items()
        if instant is not None and instant <= at and (cycle.ended_at is None or instant < cycle.ended_at)
    }
    return _with_state(cycle, due_at, pauses, came, at)


def _escalations(promise: Promise) -> list[int]:
    spans = list(promise.escalated_after)
    if promise.again_every is not None:
        spans += [spans[-1] + promise.again_every * again for again in range(1, promise.times)]
    return spans


def _with_state(
    cycle: _Cycle, due_at: datetime | None, pauses: _Pauses, came: Mapping[Rung, datetime], at: datetime
) -> Answer:
    is_paused = False
    if cycle.ended_at is not None:
        assert due_at is not None
        kept = "met" if cycle.ended_at <= due_at else "missed"
        state = "cancelled" if cycle.is_cancelled else kept
    else:
        is_open = pauses.open_since is not None and pauses.open_since <= at
        is_paused = is_open or any(start <= at < end for start, end in pauses.spans)
        state = "paused" if is_paused else "running"
        if due_at is not None and due_at <= at:
            state = "breached"
    return Answer(state, cycle.started_at, due_at, cycle.ended_at, is_paused, dict(came))


def _deadline(
    promise: Promise, cycle: _Cycle, pauses: _Pauses, line: Line
) -> tuple[datetime, timedelta, datetime, datetime | None]:
    """Where the count begins, the budget with extensions, the last move of the deadline, and the deadline."""
    is_urgent = False
    changes: list[tuple[datetime, str, Told]] = []
    for at, event in line:
        if event.what == "changed" and at <= cycle.started_at:
            is_urgent = event.value == URGENT
        is_extension = event.what == "extended" and event.value == promise.code
        if cycle.holds(at, also_its_start=is_extension) and (
            event.what == "changed" or at in cycle.resets or is_extension
        ):
            changes.append((at, "reset" if at in cycle.resets else event.what, event))
    begins = moved_at = cycle.started_at
    budget, extra = promise.span(is_urgent=is_urgent), NOTHING
    due_at = _later(begins, budget, pauses)
    for at, what, event in changes:
        if due_at is not None and due_at <= at:
            break
        before = (begins, budget, extra)
        if what == "reset":
            begins, extra = at, NOTHING
        elif what == "extended":
            extra += timedelta(seconds=event.seconds)
        else:
            changed = promise.span(is_urgent=event.value == URGENT)
            if promise.change_restarts and changed != budget:
                begins, extra = at, NOTHING
            budget = changed
        if (begins, budget, extra) == before:
            continue  # it says nothing new about the deadline
        moved = _later(begins, budget + extra, pauses)
        moved = None if moved is None else max(moved, at)
        if moved is None or moved != due_at:
            due_at, moved_at = moved, at
    return begins, budget + extra, moved_at, due_at
