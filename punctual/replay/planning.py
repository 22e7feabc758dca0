"""Events become cases ready to be sent. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from punctual.replay.cases import Case, Step
from punctual.replay.facts import FactMissing, FactReader, code_of
from punctual.replay.mapping.actions import SUBMIT, Action
from punctual.replay.mapping.events import SEPARATOR, LogEvent
from punctual.replay.mapping.model import LogMap


@dataclass
class Plan:
    """What will be sent, and what not.

    Attributes:
        cases: in the order of their submission.
        played: activity -> how many events became at least one call.
        ignored: activity -> how many events the map ignores.
        unmapped: activity -> how many events the map's table does not name.
        without_effect: how many events would change nothing, such as entering the stage a request is in.
        empty_cases: cases all of whose events are ignored.
        unusable: reason -> how many cases cannot be sent.
        events_of_unusable: how many events these cases have; they are counted nowhere else.
        events_beyond_limit: how many events the cases have that were left out because only the first ones are wanted.
    """

    cases: list[Case] = field(default_factory=list)
    played: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    without_effect: int = 0
    empty_cases: int = 0
    unusable: Counter[str] = field(default_factory=Counter)
    events_of_unusable: int = 0
    events_beyond_limit: int = 0

    @property
    def steps(self) -> int:
        return sum(len(case.steps) for case in self.cases)

    @property
    def calls(self) -> Counter[str]:
        """Action, such as ``stage assessment`` -> how many calls."""
        return Counter(step.action.words for case in self.cases for step in case.steps)


def plan_cases(events: Iterable[LogEvent], log_map: LogMap, *, log_name: str, limit: int | None = None) -> Plan:
    """Group the sorted events by case and decide what each does.

    Args:
        limit: only the first so many cases.
    """
    plan = Plan()
    facts = FactReader(log_map, log_name)
    by_case: dict[str, list[LogEvent]] = {}
    for event in events:
        by_case.setdefault(event.case, []).append(event)
    for name, own in by_case.items():
        if limit is not None and len(plan.cases) >= limit:
            plan.events_beyond_limit += len(own)
            continue
        try:
            channel, submission = facts.submission(name, own)
        except FactMissing as missing:
            plan.unusable[str(missing)] += 1
            plan.events_of_unusable += len(own)
            continue
        steps = _steps(own, log_map, plan)
        if not steps:
            plan.empty_cases += 1
            continue
        plan.cases.append(Case(name, submission, channel, steps))
    plan.cases.sort(key=lambda case: case.begins_at)
    return plan


def _steps(events: Sequence[LogEvent], log_map: LogMap, plan: Plan) -> list[Step]:
    """The first event that is not ignored submits the request, whatever else it does."""
    steps: list[Step] = []
    standing = _Standing()
    for number, (event, wanted) in enumerate(_decided(events, log_map, plan)):
        is_first = not steps and bool(wanted) and wanted[0].verb != "submit"
        actions = (SUBMIT, *wanted) if is_first else wanted
        effective = [action for action in actions if standing.takes(action)]
        if effective:
            plan.played[event.activity] += 1
        elif actions:
            plan.without_effect += 1
        for position, action in enumerate(effective):
            handler = code_of(event.resource) or None
            steps.append(Step(event.instant, action, f"{number}.{position}", handler, event.line))
    return steps


def _decided(events: Sequence[LogEvent], log_map: LogMap, plan: Plan) -> Iterator[tuple[LogEvent, tuple[Action, ...]]]:
    """Every event with the actions that count, none where it is ignored."""
    found = [_look_up(event.activity, log_map) for event in events]
    last = {key: i for i, (key, _) in enumerate(found)}
    first = {key: i for i, (key, _) in reversed(list(enumerate(found)))}
    for i, (event, (key, actions)) in enumerate(zip(events, found, strict=True)):
        counted = {"every": True, "first": first[key] == i, "last": last[key] == i}
        wanted = tuple(action for action in actions if action.verb != "ignore" and counted[action.take])
        if not wanted:
            (plan.ignored if key in log_map.activities else plan.unmapped)[event.activity] += 1
        yield event, wanted


def _look_up(activity: str, log_map: LogMap) -> tuple[str, tuple[Action, ...]]:
    """The entry with the most columns that fits: ``end / complete / paid``, else ``end / complete``, else ``end``."""
    parts = activity.split(SEPARATOR)
    for length in range(len(parts), 0, -1):
        key = SEPARATOR.join(parts[:length])
        if key in log_map.activities:
            return key, log_map.activities[key]
    return activity, log_map.unmapped


class _Standing:
    """As much of a request's state as shows that an action changes nothing. What is allowed is intake's to say."""

    def __init__(self) -> None:
        self._is_submitted = False
        self._stage = ""
        self._pauses: set[str] = set()

    def takes(self, action: Action) -> bool:
        """Whether the action changes something; remembers that it did."""
        match action.verb:
            case "submit":
                changes, self._is_submitted = not self._is_submitted, True
            case "stage":
                changes, self._stage = self._stage != action.object, action.object
            case "pause":
                changes = action.object not in self._pauses
                self._pauses.add(action.object)
            case "resume":
                changes = action.object in self._pauses
                self._pauses.discard(action.object)
            case _:
                changes = True
        return changes
