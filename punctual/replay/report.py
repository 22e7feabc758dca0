"""What came of a replay, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from punctual.replay.logs import Malformed
from punctual.replay.mapping.events import EventLog
from punctual.replay.planning import Plan
from punctual.replay.settling import Deadlines
from punctual.replay.tally import Tally

_WORTH_A_LINE = 5  # seconds of real time that the sender was behind

_SHOWN = 20  # malformed lines, refusals and activities shown to a person; --report has all


@dataclass(frozen=True)
class Outcome:
    """One replay.

    Attributes:
        shift: what was added to the log's instants.
        took: real time of sending.
        is_interrupted: somebody ended it before everything was sent.
        stopped_by: why the sending ended early by itself.
    """

    log: str
    name: str
    map: str
    url: str
    events: EventLog
    plan: Plan
    tally: Tally
    deadlines: Deadlines
    shift: timedelta
    first_at: datetime
    last_at: datetime
    speed: float
    took: timedelta
    retries: int
    is_interrupted: bool
    stopped_by: str | None

    def as_dict(self, *, whole: bool) -> dict[str, Any]:
        """JSON types. ``whole`` includes every malformed line and refusal."""
        plan, tally = self.plan, self.tally
        seconds = self.took.total_seconds()
        return {
            "log": self.log,
            "name": self.name,
            "map": self.map,
            "url": self.url,
            "is_interrupted": self.is_interrupted,
            "stopped_by": self.stopped_by,
            "read": {
                "rows": self.events.rows,
                "events": len(self.events.events),
                "cases": len({event.case for event in self.events.events}),
                "activities": dict(Counter(event.activity for event in self.events.events).most_common()),
                "malformed": len(self.events.malformed),
                "filtered": self.events.filtered,
            },
            "planned": {
                "cases": len(plan.cases),
                "calls": plan.steps,
                "actions": dict(plan.calls.most_common()),
                "played": dict(plan.played.most_common()),
                "ignored": dict(plan.ignored.most_common()),
                "unmapped": dict(plan.unmapped.most_common()),
                "without_effect": plan.without_effect,
                "cases_without_events": plan.empty_cases,
                "unusable_cases": dict(plan.unusable.most_common()),
                "events_of_unusable_cases": plan.events_of_unusable,
                "events_beyond_limit": plan.events_beyond_limit,
                "open_at_the_end": sum(not case.is_closed for case in plan.cases),
            },
            "sent": tally.sent,
            "accepted": tally.accepted,
            "repeated": tally.repeated,
            "refused": dict(tally.refused.most_common()),
            "accepted_actions": dict(tally.accepted_actions.most_common()),
            "refused_actions": {action: dict(codes.most_common()) for action, codes in tally.refused_actions.items()},
            "doubted": dict(tally.doubted.most_common()),
            "doubts_dismissed": tally.dismissed,
            "not_sent": plan.steps - tally.sent,
            "requests": tally.submitted,
            "closed": tally.closed,
            "states": dict(self.deadlines.states),
            "deadlines": {name: dict(states) for name, states in sorted(self.deadlines.by_objective.items())},
            "warned": dict(self.deadlines.warned),
            "escalated": dict(self.deadlines.escalated),
            "unsettled": self.deadlines.unsettled,
            "seconds": round(seconds, 3),
            "calls_per_second": round(tally.sent / seconds, 1) if seconds else None,
            "retries": self.retries,
            "speed": self.speed,
            "begins_at": (self.first_at + self.shift).isoformat(),
            "ends_at": (self.last_at + self.shift).isoformat(),
            "shift_seconds": self.shift.total_seconds(),
            "most_behind_seconds": round(tally.behind.total_seconds(), 1),
            "malformed": [asdict(bad) for bad in self._malformed(whole)],
            "refusals": [asdict(refusal) for refusal in (tally.refusals if whole else tally.refusals[:_SHOWN])],
        }

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(self.as_dict(whole=True), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def lines(self) -> Iterator[str]:
        """For a person."""
        events, plan, tally = self.events, self.plan, self.tally
        yield f"read        {events.rows} lines, {len(events.events)} events" + _also(
            malformed=len(events.malformed), filtered=events.filtered
        )
        yield f"planned     {len(plan.cases)} requests, {plan.steps} calls" + _also(
            **{
                "events ignored": plan.ignored.total(),
                "events not in the map": plan.unmapped.total(),
                "events without effect": plan.without_effect,
                "cases with nothing to send": plan.empty_cases,
                "cases unusable": plan.unusable.total(),
                "events of other cases": plan.events_beyond_limit,
            }
        )
        yield f"sent        {tally.sent} calls: {tally.accepted} accepted" + _also(
            **{"of them sent before": tally.repeated, "refused": tally.refused.total()}
        )
        if plan.steps > tally.sent:
            yield f"not sent    {plan.steps - tally.sent} calls" + (" (interrupted)" if self.is_interrupted else "")
        if self.stopped_by:
            yield f"stopped by  {self.stopped_by}"
        yield f"requests    {tally.submitted}" + _also(**dict(self.deadlines.states))
        if tally.doubted:
            yield f"doubted     {tally.doubted.total()} findings, {tally.dismissed} dismissed"
        yield from self._deadline_lines()
        yield from self._time_lines()
        yield from _list("unusable cases", [f"{count} x {reason}" for reason, count in plan.unusable.most_common()])
        yield from _list("not in the map", [f"{count} x {name}" for name, count in plan.unmapped.most_common()])
        yield from _list("doubted", [f"{count} x {rule}" for rule, count in tally.doubted.most_common()])
        yield from _list("refused", [f"{count} x {code}" for code, count in tally.refused.most_common()])
        yield from _list(
            "refusals, one by one",
            [f"line {r.line}, case {r.case}, {r.action}: {r.code}: {r.detail}" for r in tally.refusals],
        )
        yield from _list("malformed", [f"line {bad.line}: {bad.reason}" for bad in events.malformed])

    def _deadline_lines(self) -> Iterator[str]:
        for objective, states in sorted(self.deadlines.by_objective.items()):
            yield f"{objective:<11} {_deadline_words(states)}" + _also(
                warned=self.deadlines.warned[objective], escalated=self.deadlines.escalated[objective]
            )
        if self.deadlines.unsettled:
            yield f"unsettled   {self.deadlines.unsettled} requests whose clocks had not caught up in time"

    def _time_lines(self) -> Iterator[str]:
        seconds = self.took.total_seconds()
        rate = f", {self.tally.sent / seconds:.1f} calls a second" if seconds else ""
        retries = f", {self.retries} calls repeated" if self.retries else ""
        yield f"took        {seconds:.1f} s at {self.speed:g} times real time{rate}{retries}"
        yield f"business    {_minute(self.first_at + self.shift)} to {_minute(self.last_at + self.shift)}" + (
            f", moved by {_span(self.shift)}" if self.shift else ""
        )
        if self.tally.behind.total_seconds() > self.speed * _WORTH_A_LINE:
            yield f"behind      {_span(self.tally.behind)} of business time at most: the sender could not keep up"

    def _malformed(self, whole: bool) -> Sequence[Malformed]:
        return self.events.malformed if whole else self.events.malformed[:_SHOWN]


def _deadline_words(states: Counter[str]) -> str:
    missed = states["missed"] + states["breached"]
    decided = states["met"] + missed
    share = f" ({states['met'] / decided:.1%} met)" if decided else ""
    overdue = {"of them still open": states["breached"]}
    return f"{states['met']} met, {missed} missed{share}" + _also(
        **overdue, running=states["running"], paused=states["paused"], cancelled=states["cancelled"]
    )


def _also(**counts: int) -> str:
    return "".join(f", {count} {name}" for name, count in counts.items() if count)


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines[:_SHOWN])
        if len(lines) > _SHOWN:
            yield f"  and {len(lines) - _SHOWN} more; --report FILE has all"


def _span(span: timedelta) -> str:
    return str(timedelta(seconds=round(span.total_seconds())))


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
