"""Reads policies.yml. Every error names file, line and field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

from services.sla_timer.domain.document import Document, Field
from services.sla_timer.domain.rules import CONDITIONS, BudgetKind, Objective, Policy, Rung, RungKind
from shared.contracts.payload import CustomerTier, Market, Priority, RequestKind

FORMAT = "1"
ESCALATION_LEVELS = 2
OBJECTIVES = frozenset({"response", "resolution"})
"""What every policy promises; without a resolution a customer would have no expected time."""

LONGEST_SPAN = timedelta(days=3660)
"""Ten years: longer than any promise, and short enough that a deadline is always an instant one can write."""

Spendable = Callable[[Objective, str], str | None]
"""Told an objective and the name of a calendar; gives why the budget cannot be spent there, None when it can."""


_HOUR = timedelta(hours=1)
_OBJECTIVE = frozenset({"budget", "stops", "warning", "breach", "escalations"})
_CODE = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
_WORD = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$")
_SPAN = re.compile(r"^(?=\d)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?$")
_STOPS = re.compile(r"^(responded|closed|stage_entered(:[A-Za-z0-9_.-]{1,64})?)$")

_VOCABULARIES: Mapping[str, frozenset[str]] = {
    "kind": frozenset(RequestKind),
    "market": frozenset(Market),
    "priority": frozenset(Priority),
    "customer_tier": frozenset(CustomerTier),
}


def read_policies(
    text: str,
    file: str,
    calendars: Collection[str],
    spendable: Spendable | None = None,
    required: frozenset[str] = OBJECTIVES,
) -> tuple[tuple[Policy, ...], dict[Market, str]]:
    """The policies in order, and the calendar of each market.

    Args:
        calendars: the names that may be referred to.
        spendable: asked about each objective on the calendar of every market its policy can apply to.
        required: the objectives that every policy must have.

    Raises:
        InvalidDocument: names every wrong field.
    """
    document = Document(text, file)
    top = document.root.members(frozenset({"format", "calendars", "policies"}))
    if top["format"].text() != FORMAT:
        raise top["format"].fail(f"this program reads format {FORMAT}")
    markets: dict[Market, str] = {}
    with document.collecting():
        markets = _markets(top["calendars"], calendars)
    policies: list[Policy] = []
    for field in top["policies"].items():
        with document.collecting():
            policy = _policy(field, required)
            if spendable is not None:
                _check_budgets(field, policy, markets, spendable)
            if any(policy.code == other.code for other in policies):
                raise field.fail(f"policy {policy.code} is defined twice")
            if policies and not policies[-1].conditions:
                raise field.fail(f"can never apply: {policies[-1].code} before it has no conditions")
            policies.append(policy)
    document.finish()
    if not policies or policies[-1].conditions:
        raise top["policies"].fail("the last policy must be the default: one without `when`")
    return tuple(policies), markets


def read_span(text: str) -> timedelta:
    """``45m``, ``8h``, ``1h30m``, ``2d``. A day is 24 hours.

    Raises:
        ValueError: anything else, and more than ``LONGEST_SPAN``.
    """
    match = _SPAN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a span such as 45m, 8h or 1h30m")
    try:
        span = timedelta(**{unit: int(count) for unit, count in match.groupdict(default="0").items()})
    except (OverflowError, ValueError):  # int() refuses more than 4300 digits
        span = timedelta.max
    if span > LONGEST_SPAN:
        raise ValueError(f"a span is at most {LONGEST_SPAN.days} days, which are {LONGEST_SPAN // _HOUR} hours")
    return span


def _markets(field: Field, calendars: Collection[str]) -> dict[Market, str]:
    chosen: dict[Market, str] = {}
    for market, name in field.members(frozenset(Market)).items():
        if name.text() not in calendars:
            raise name.fail(f"there is no calendar {name.text()!r}; known are {', '.join(sorted(calendars))}")
        chosen[Market(market)] = name.text()
    return chosen


def _check_budgets(field: Field, policy: Policy, markets: Mapping[Market, str], spendable: Spendable) -> None:
    reachable = policy.conditions.get("market", frozenset(Market))
    names = sorted({name for market, name in markets.items() if market in reachable})
    fields = field.entries()["objectives"].entries()
    for objective in policy.objectives:
        for name in names:
            if (reason := spendable(objective, name)) is not None:
                raise fields[objective.code].entries()["budget"].fail(f"cannot be spent: {reason}")


def _policy(field: Field, required: frozenset[str]) -> Policy:
    members = field.members(frozenset({"policy", "objectives"}), frozenset({"when", "cancelled_by"}))
    objectives = tuple(_objective(code, entry) for code, entry in members["objectives"].entries().items())
    missing = sorted(required - {objective.code for objective in objectives})
    if missing:
        known = " and ".join(sorted(required))
        raise members["objectives"].fail(f"{' and '.join(missing)} missing; every policy needs {known}")
    if not objectives:
        raise members["objectives"].fail("needs at least one objective")
    return Policy(
        code=members["policy"].parse(_code),
        conditions=_conditions(members["when"]) if "when" in members else {},
        objectives=objectives,
        cancelled_by=_words(members["cancelled_by"]) if "cancelled_by" in members else frozenset(),
    )


def _conditions(field: Field) -> dict[str, frozenset[str]]:
    conditions: dict[str, frozenset[str]] = {}
    for name, entry in field.members(frozenset(), CONDITIONS).items():
        vocabulary = _VOCABULARIES.get(name)
        for value in entry.items_or_self():
            if vocabulary is not None and value.text() not in vocabulary:
                raise value.fail(f"{value.text()!r} is not one of {', '.join(sorted(vocabulary))}")
        conditions[name] = _words(entry)
    if not conditions:
        raise field.fail("holds no condition; leave `when` out of the default policy")
    return conditions


def _objective(code: str, field: Field) -> Objective:
    if not _CODE.match(code):
        raise field.fail("an objective's name is lower-case letters, digits and _")
    members = field.members(_OBJECTIVE, frozenset({"paused_by"}))
    budget, kind = _budget(members["budget"])
    warn = members["warning"].members(frozenset({"fraction", "roles"}))
    warning = Rung(RungKind.WARNING, 1, fraction=warn["fraction"].parse(_fraction), roles=_roles(warn["roles"]))
    breach = Rung(RungKind.BREACH, 1, roles=_roles(members["breach"].members(frozenset({"roles"}))["roles"]))
    escalations = _escalations(members["escalations"])
    return Objective(
        code=code,
        budget=budget,
        budget_kind=kind,
        stops=frozenset(entry.parse(_stop) for entry in members["stops"].items()),
        paused_by=_words(members["paused_by"]) if "paused_by" in members else frozenset(),
        ladder=(warning, breach, *escalations),
    )


def _budget(field: Field) -> tuple[timedelta, BudgetKind]:
    span, _, kind = field.text().partition(" ")
    if kind not in set(BudgetKind):
        raise field.fail("must be a span and `working` or `elapsed`, such as `8h working`")
    if kind == BudgetKind.WORKING and "d" in span:
        raise field.fail("a working day has no fixed length; give working hours")
    try:
        budget = read_span(span)
    except ValueError as error:
        raise field.fail(str(error)) from None
    if not budget:
        raise field.fail("must be longer than nothing")
    return budget, BudgetKind(kind)


def _escalations(field: Field) -> tuple[Rung, ...]:
    entries = field.items()
    if len(entries) != ESCALATION_LEVELS:
        raise field.fail(f"needs {ESCALATION_LEVELS} levels, has {len(entries)}")
    rungs: list[Rung] = []
    for level, entry in enumerate(entries, start=1):
        members = entry.members(frozenset({"after", "roles"}))
        after = members["after"].parse(read_span)
        if rungs and after <= rungs[-1].after:
            raise members["after"].fail("must be later than the level before")
        rungs.append(Rung(RungKind.ESCALATION, level, after=after, roles=_roles(members["roles"])))
    return tuple(rungs)


def _roles(field: Field) -> tuple[str, ...]:
    roles = tuple(entry.parse(_code) for entry in field.items())
    if not roles:
        raise field.fail("needs at least one role")
    return roles


def _words(field: Field) -> frozenset[str]:
    return frozenset(entry.parse(_word) for entry in field.items_or_self())


def _code(text: str) -> str:
    if not _CODE.match(text):
        raise ValueError(f"{text!r} is not a word of lower-case letters, digits and _")
    return text


def _word(text: str) -> str:
    if not _WORD.match(text):
        raise ValueError(f"{text!r} is not a single word")
    return text


def _stop(text: str) -> str:
    if not _STOPS.match(text):
        raise ValueError(f"{text!r} is not responded, closed, stage_entered or stage_entered:<stage>")
    return text


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction < 1:
        raise ValueError(f"{text!r} is not a fraction between 0 and 1")
    return fraction
