"""What a draft does to a request: the same as its rollout, and in history what would have been."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.modes import Activation
from services.sla_timer.domain.previewing import (
    DRAFT_VERSION,
    ChangeKind,
    apply_draft,
    begin_under_draft,
    compare_running,
    has_same_promises,
    verdicts,
)
from services.sla_timer.domain.rules import Budget, BudgetKind, Mode, Objective, Policy, Rulebook, Rung, RungKind
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS
from shared.worktime import ALWAYS_OPEN, WorkingTime

HOUR = timedelta(hours=1)
START = datetime(2026, 6, 1, 9, tzinfo=UTC)
REQUEST_ID = UUID("01977c00-0000-7000-8000-000000000001")
FACTS = Facts(kind="claim", market="HK", channel="app", priority="normal", customer_tier="standard")
CHECK = Objective("check", Budget(BudgetKind.ELAPSED, 8 * HOUR), ladder=(Rung(RungKind.BREACH, 1),))
IN_PEAK = replace(CHECK, modes={Mode.PEAK: Budget(BudgetKind.ELAPSED, 36 * HOUR)}, modes_move_running=True)
TYPHOON = Activation(UUID(int=1), Mode.PEAK, frozenset({"HK"}), START - HOUR)


def rules(version: int, *objectives: Objective) -> Rulebook:
    time = WorkingTime(ALWAYS_OPEN)
    policies = (Policy("everything", ALWAYS, objectives),)
    return Rulebook(version, policies, {"office": time}, dict.fromkeys(Market, "office"))


IN_FORCE = rules(1, CHECK)


def known(version: int) -> Rulebook:
    assert version == IN_FORCE.version
    return IN_FORCE


def request(closed_after: timedelta | None = None) -> Case:
    history = [RequestEvent(1, Happening.SUBMITTED, START, START, "received")]
    if closed_after is not None:
        history.append(RequestEvent(2, Happening.CLOSED, START + closed_after, START + closed_after, "paid"))
    return open_case(REQUEST_ID, "K7M4Q-2XD9C", history, FACTS, 1, known)


def changes(draft: Rulebook, now: datetime, *activations: Activation) -> list[tuple[str, ChangeKind, datetime | None]]:
    before = request()
    after = apply_draft(before, draft, now, known, activations)
    return [(change.objective, change.kind, change.to_at) for change in compare_running(before, after, now)]


def test_a_promise_that_the_draft_drops_is_cancelled_even_at_the_instant_it_began() -> None:
    draft = rules(DRAFT_VERSION, replace(CHECK, code="inspection"))
    for hours in (0, 1):
        assert changes(draft, START + hours * HOUR) == [
            ("inspection", ChangeKind.STARTED, START + 8 * HOUR),
            ("check", ChangeKind.CANCELLED, None),
        ]


def test_a_mode_in_force_counts_for_running_clocks_when_only_the_draft_has_budgets_for_it() -> None:
    draft, now = rules(DRAFT_VERSION, IN_PEAK), START + HOUR
    assert changes(draft, now) == []
    assert changes(draft, now, TYPHOON) == [("check", ChangeKind.LATER, START + 36 * HOUR)]
    assert changes(draft, now, replace(TYPHOON, markets=frozenset({"TW"}))) == []


def test_history_is_read_with_the_modes_that_its_rules_had_no_budgets_for() -> None:
    case, draft, now = request(closed_after=20 * HOUR), rules(DRAFT_VERSION, IN_PEAK), START + 48 * HOUR
    assert verdicts(case, now) == [("check", False)]
    assert verdicts(begin_under_draft(case, draft, now), now) == [("check", False)]
    assert verdicts(begin_under_draft(case, draft, now, [TYPHOON]), now) == [("check", True)]


def test_promises_are_the_same_when_objectives_and_calendars_are() -> None:
    (policy,) = IN_FORCE.policies
    (changed,) = rules(2, IN_PEAK).policies
    assert has_same_promises(policy, IN_FORCE, replace(policy, code="other"), rules(2, CHECK), "HK")
    assert not has_same_promises(policy, IN_FORCE, changed, rules(2, IN_PEAK), "HK")
