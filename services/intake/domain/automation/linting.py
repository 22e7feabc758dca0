"""Remarks about rules of automation that can be used but may not do what their author meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from services.intake.domain.automation.rules import CloseStep, Rule, RuleSet, StageStep
from shared.rules.conditions import TRUE, AllOf, Among, Between, Condition
from shared.rules.document import Document

_CONTROLS = frozenset({"controls_passed", "controls_missing"})
_STAGE = "stage"


@dataclass(frozen=True, slots=True)
class Remark:
    """Attributes:
    line: of the rule, from 1.
    rule: its name.
    """

    file: str
    line: int
    rule: str
    message: str


def remark_on_automation(rules: RuleSet, text: str, file: str) -> list[Remark]:
    """
    Args:
        text: what ``rules`` was read from.
    """
    fields = [field.entries()["rule"] for field in Document(text, file).root.entries()["rules"].items()]
    lines = {field.text(): field.line for field in fields}
    found = (*_on_completeness(rules.rules), *_on_circles(rules.rules))
    return [Remark(file, lines[rule.code], rule.code, message) for rule, message in found]


def _on_completeness(rules: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
    for rule in rules:
        moves_on = any(isinstance(step, StageStep | CloseStep) for step in rule.steps)
        asks = any(isinstance(p, Among) and p.name == "is_complete" and TRUE in p.values for p in _parts(rule.when))
        if moves_on and asks and not rule.when.names() & _CONTROLS:
            yield (
                rule,
                "is_complete holds from the beginning where a stage demands no control point; ask controls_passed, too",
            )


def _on_circles(rules: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
    """Pairs that lead from one stage to another and back at once. Longer circles are left to whoever draws them."""
    for one, other in combinations(rules, 2):
        if _leads_to(one) in _stages(other) and _leads_to(other) in _stages(one) and not _exclude(one, other):
            way = f"from {_leads_to(other)} to {_leads_to(one)} and back"
            yield one, f"leads in a circle with {other.code}: {way}, once whenever something happens to the request"


def _leads_to(rule: Rule) -> str | None:
    """The stage where its steps end; None where its process says it, or nothing does."""
    stages = [step.stage for step in rule.steps if isinstance(step, StageStep)]
    return stages[-1] if stages else None


def _stages(rule: Rule) -> frozenset[str]:
    """The stages that its condition names."""
    named = [p.values for p in _parts(rule.when) if isinstance(p, Among) and p.name == _STAGE]
    return frozenset.intersection(*named) if named else frozenset()


def _exclude(one: Rule, other: Rule) -> bool:
    """Whether some fact besides the stage cannot be as both ask."""
    return any(
        mine.name == theirs.name and mine.name != _STAGE and _are_apart(mine, theirs)
        for mine in _parts(one.when)
        for theirs in _parts(other.when)
        if isinstance(mine, Among | Between) and isinstance(theirs, Among | Between)
    )


def _are_apart(one: Among | Between, other: Among | Between) -> bool:
    if isinstance(one, Among) and isinstance(other, Among):
        return not one.values & other.values
    if isinstance(one, Between) and isinstance(other, Between):
        return _lies_below(one, other) or _lies_below(other, one)
    return False


def _lies_below(one: Between, other: Between) -> bool:
    end = min(inf if bound is None else bound for bound in (one.at_most, one.below))
    start = max(-inf if bound is None else bound for bound in (other.at_least, other.above))
    return end < start or (end == start and (one.below == end or other.above == start))


def _parts(condition: Condition) -> Iterator[Condition]:
    """What must hold in any case."""
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from _parts(part)
    else:
        yield condition
