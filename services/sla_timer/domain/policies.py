"""Reads policies.yml. Every error names file, line and field."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from services.sla_timer.domain.policy_objectives import read_objective
from services.sla_timer.domain.rules import Budget, BudgetKind, Objective, Policy
from services.sla_timer.domain.trials import Trial
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS, AllOf, Among, AnyOf, Condition, Not
from shared.rules.document import Document, Field
from shared.rules.reading import read_condition
from shared.rules.words import read_code, words_of

FORMAT = "1"
OBJECTIVES = frozenset({"response", "resolution"})
"""What every policy promises; without a resolution a customer would have no expected time."""


def read_policies(
    text: str,
    file: str,
    calendars: Collection[str],
    trial: Trial | None = None,
    required: frozenset[str] = OBJECTIVES,
) -> tuple[tuple[Policy, ...], dict[Market, str]]:
    """The policies in order, and the calendar of each market.

    Args:
        calendars: the names that may be referred to.
        trial: tries each span on every calendar it can be counted on.
        required: the objectives that every policy must have.

    Raises:
        InvalidDocument: names every wrong field.
    """
    document = Document(text, file)
    top = document.root.members(frozenset({"format", "calendars", "policies"}))
    if top["format"].text() != FORMAT:
        raise top["format"].fail(f"this program reads format {FORMAT}")
    markets = document.attempt(lambda: _markets(top["calendars"], calendars))
    policies: list[Policy] = []
    for field in top["policies"].items():
        with document.collecting():
            policy = _policy(document, field, required, calendars)
            if policy is None:
                continue
            if trial is not None and markets is not None:
                _try_out(document, field, policy, markets, trial)
            if any(policy.code == other.code for other in policies):
                raise field.fail(f"policy {policy.code} is defined twice")
            if policies and policies[-1].is_default:
                raise field.fail(f"can never apply: {policies[-1].code} before it has no conditions")
            policies.append(policy)
    document.finish()
    if not policies or not policies[-1].is_default:
        raise top["policies"].fail("the last policy must be the default: one without `when`")
    return tuple(policies), markets or {}


def policy_lines(text: str, file: str) -> dict[str, int]:
    """The line on which each policy and each objective of a readable text begins: ``claim``, ``claim.response``."""
    lines: dict[str, int] = {}
    for field in Document(text, file).root.entries()["policies"].items():
        entries = field.entries()
        code = entries["policy"].text()
        lines[code] = field.line
        lines |= {f"{code}.{name}": entry.line for name, entry in entries["objectives"].entries().items()}
    return lines


def _markets(field: Field, calendars: Collection[str]) -> dict[Market, str]:
    return {Market(market): _calendar(name, calendars) for market, name in field.members(frozenset(Market)).items()}


def _calendar(field: Field, calendars: Collection[str]) -> str:
    name = field.text()
    if name not in calendars:
        raise field.fail(f"there is no calendar {name!r}; known are {', '.join(sorted(calendars))}")
    return name


def _policy(document: Document, field: Field, required: frozenset[str], calendars: Collection[str]) -> Policy | None:
    """None when parts of it had to be complained of."""
    members = field.members(frozenset({"policy", "objectives"}), frozenset({"when", "cancelled_by"}))
    code = document.attempt(lambda: members["policy"].parse(read_code))
    condition = document.attempt(lambda: read_condition(members["when"]) if "when" in members else ALWAYS)
    outcomes = document.attempt(lambda: words_of(members["cancelled_by"]) if "cancelled_by" in members else frozenset())
    fields = members["objectives"].entries()
    missing = sorted(required - fields.keys())
    if missing:
        known = " and ".join(sorted(required))
        raise members["objectives"].fail(f"{' and '.join(missing)} missing; every policy needs {known}")
    if not fields:
        raise members["objectives"].fail("needs at least one objective")
    cancels = frozenset(f"closed:{outcome}" for outcome in outcomes or ())
    objectives: list[Objective] = []
    for name, entry in fields.items():
        with document.collecting():
            objective = read_objective(name, entry, cancels)
            if objective.calendar is not None:
                _calendar(entry.entries()["calendar"], calendars)
            objectives.append(objective)
    if code is None or condition is None or outcomes is None or len(objectives) < len(fields):
        return None
    return Policy(code, condition, tuple(objectives))


def _try_out(document: Document, field: Field, policy: Policy, markets: Mapping[Market, str], trial: Trial) -> None:
    usual = sorted({markets[market] for market in _reachable_markets(policy.condition)})
    fields = field.entries()["objectives"].entries()
    for objective in policy.objectives:
        with document.collecting():
            for name in [objective.calendar] if objective.calendar is not None else usual:
                for entry, obstacle in _obstacles(fields[objective.code].entries(), objective, name, trial):
                    if obstacle is not None:
                        raise entry.fail(f"cannot be spent: {obstacle}")


def _obstacles(
    entries: Mapping[str, Field], objective: Objective, calendar: str, trial: Trial
) -> Iterator[tuple[Field, str | None]]:
    yield entries["budget"], trial.find_obstacle(calendar, objective.budget)
    for mode, budget in objective.modes.items():
        yield entries["modes"].entries()[mode], trial.find_obstacle(calendar, budget)
    for rung in objective.ladder:
        if rung.counts is not BudgetKind.WORKING:
            continue
        if rung.after.total_seconds() < 0:
            field = entries["warnings" if "warnings" in entries else "warning"]
            yield field, trial.find_obstacle_before(calendar, -rung.after)
        else:
            then = rung.after + rung.every if rung.every is not None else rung.after
            yield entries["escalations"], trial.find_obstacle(calendar, objective.budget, then)
    longest = objective.longest_pause
    if longest is not None and longest.counts is BudgetKind.WORKING:
        yield entries["longest_pause"], trial.find_obstacle(calendar, Budget(BudgetKind.WORKING, longest.span))


def _reachable_markets(condition: Condition) -> frozenset[Market]:
    """The markets a policy can apply to, or more of them."""
    match condition:
        case Among(name="market", values=values):
            return frozenset(Market(value) for value in values)
        case Not(part=Among(name="market", values=values)):
            return frozenset(Market) - {Market(value) for value in values}
        case AllOf(parts=parts):
            return frozenset(Market).intersection(*(_reachable_markets(part) for part in parts))
        case AnyOf(parts=parts):
            return frozenset[Market]().union(*(_reachable_markets(part) for part in parts))
        case _:
            return frozenset(Market)
