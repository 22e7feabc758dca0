"""What is different between two versions of the rules, in lines for people, in the words of the rule files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from services.sla_timer.domain.differences_of_calendars import find_calendar_differences
from services.sla_timer.domain.policy_texts import write_condition, write_longest_pause, write_rung
from services.sla_timer.domain.rules import Objective, Policy, Rulebook
from services.sla_timer.domain.spans import write_budget
from shared.rules.conditions import AllOf, AnyOf, Condition, Not


def find_differences(before: Rulebook, after: Rulebook) -> list[str]:
    """One line for each thing that was added, removed or changed; none when both mean the same."""
    return [*_policies(before.policies, after.policies), *_markets(before, after), *_calendars(before, after)]


def _policies(before: Sequence[Policy], after: Sequence[Policy]) -> Iterator[str]:
    old = {policy.code: policy for policy in before}
    new = {policy.code: policy for policy in after}
    yield from (f"policy {code}: removed" for code in old if code not in new)
    for index, policy in enumerate(after):
        if policy.code not in old:
            place = f"before {after[index + 1].code}" if index + 1 < len(after) else "as the last"
            yield f"policy {policy.code}: added {place}, {_condition(policy)}"
    stayed = [code for code in new if code in old]
    if stayed != [code for code in old if code in new]:
        yield f"policies: the order is now {', '.join(new)}"
    for code in stayed:
        yield from (f"policy {code}{line}" for line in _policy(old[code], new[code]))


def _policy(before: Policy, after: Policy) -> Iterator[str]:
    if _meaning(before.condition) != _meaning(after.condition):
        yield f": {_condition(before)} becomes {_condition(after)}"
    old = {objective.code: objective for objective in before.objectives}
    new = {objective.code: objective for objective in after.objectives}
    yield from (f", {code}: no longer promised" for code in old if code not in new)
    yield from (f", {code}: promised now, {write_budget(new[code].budget)}" for code in new if code not in old)
    for code, objective in new.items():
        if code in old:
            yield from (f", {code}: {line}" for line in _objective(old[code], objective))


def _condition(policy: Policy) -> str:
    return "no conditions" if policy.is_default else f"when {{{write_condition(policy.condition)}}}"


def _meaning(condition: Condition) -> object:
    """The same for conditions that differ only in the order of their parts."""
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return type(condition), frozenset(_meaning(part) for part in parts)
        case Not(part=part):
            return Not, _meaning(part)
        case _:
            return condition


def _objective(before: Objective, after: Objective) -> Iterator[str]:
    for mode in sorted({*before.modes, *after.modes}):
        old, new = write_budget(before.budget_in(mode)), write_budget(after.budget_in(mode))
        if old != new and (mode in before.modes or mode in after.modes):
            yield f"budget in {mode.value} {old} becomes {new}"
    for name, write in _FIELDS.items():
        old, new = write(before), write(after)
        if old != new:
            yield f"{name} {old} becomes {new}"
    yield from _ladder(before, after)


def _words(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "nothing"


_FIELDS: Mapping[str, Callable[[Objective], str]] = {
    "budget": lambda objective: write_budget(objective.budget),
    "starts": lambda objective: _words(objective.starts),
    "stops": lambda objective: _words(objective.stops),
    "resets": lambda objective: _words(objective.resets),
    "cancelled_by": lambda objective: _words(objective.cancels),
    "paused_by": lambda objective: _words(objective.paused_by),
    "pauses": lambda objective: _words(f"{begins} to {ends}" for begins, ends in objective.paused_between),
    "longest_pause": lambda objective: write_longest_pause(objective.longest_pause),
    "modes_move_running": lambda objective: "true" if objective.modes_move_running else "false",
    "on_change": lambda objective: "restart" if objective.restarts_on_change else "keep",
    "from": lambda objective: "previous_exit" if objective.from_previous_exit else "entered",
    "party": lambda objective: objective.party.value,
    "calendar": lambda objective: objective.calendar or "the market's",
}
"""By the name that a policy gives each field."""


def _ladder(before: Objective, after: Objective) -> Iterator[str]:
    old = {rung.key: rung for rung in before.ladder}
    new = {rung.key: rung for rung in after.ladder}
    for key in [*old, *(key for key in new if key not in old)]:
        name = f"{key.kind.value} {key.level}"
        if key not in new:
            yield f"{name} removed"
        elif key not in old:
            yield f"{name} added, {{{write_rung(new[key])}}}"
        elif old[key] != new[key]:
            yield f"{name} {{{write_rung(old[key])}}} becomes {{{write_rung(new[key])}}}"


def _markets(before: Rulebook, after: Rulebook) -> Iterator[str]:
    for market, name in after.calendar_names.items():
        if before.calendar_names[market] != name:
            yield f"market {market.value}: calendar {before.calendar_names[market]} becomes {name}"


def _calendars(before: Rulebook, after: Rulebook) -> Iterator[str]:
    yield from (f"calendar {name}: removed" for name in before.calendars if name not in after.calendars)
    yield from (f"calendar {name}: added" for name in after.calendars if name not in before.calendars)
    for name, working in after.calendars.items():
        if name in before.calendars:
            lines = find_calendar_differences(before.calendars[name].calendar, working.calendar)
            yield from (f"calendar {name}: {line}" for line in lines)
