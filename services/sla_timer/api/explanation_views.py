"""Explanations as answers show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.sla_timer.api.clock_views import RungView, budget_seconds, calendar_name, view_rungs
from services.sla_timer.domain.choosing import Choice, Finding
from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.effects import Effect, EffectKind
from services.sla_timer.domain.explaining import Explanation
from services.sla_timer.domain.history import Happening, Origin
from services.sla_timer.domain.rules import BudgetKind, Mode, Party
from services.sla_timer.domain.spans import write_budget


class PromiseView(BaseModel):
    policy: str
    policy_version: int
    mode: Mode = Field(description="The mode whose budget counts")
    party: Party
    budget: str = Field(description="As the policy writes it")
    budget_kind: BudgetKind
    budget_seconds: float | None = Field(description="null for a budget in working days")
    extension_seconds: float = Field(description="Granted beyond the budget")
    calendar: str


class WindowView(BaseModel):
    start: datetime
    end: datetime
    counted_seconds: float
    total_seconds: float = Field(description="Everything counted up to the end of this window")


class PauseView(BaseModel):
    start: datetime
    end: datetime | None = Field(description="null while it goes on")
    reasons: list[str]


class EntryView(BaseModel):
    """One entry of the request's history, and what it did to this clock."""

    origin: Origin
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    happening: Happening
    value: str | None
    details: dict[str, Any] | None
    effect: EffectKind | None = Field(description="null when it did nothing to this clock")
    due_before: datetime | None
    due_after: datetime | None


class ClockExplanationView(BaseModel):
    objective: str
    cycle: int
    state: ClockState
    cause: str | None = Field(description="Why it was cancelled")
    is_kept: bool | None = Field(description="The verdict; null while there is none")
    started_at: datetime
    counted_from: datetime = Field(description="The start, the last reset, or a change that began the count anew")
    due_at: datetime | None
    stopped_at: datetime | None
    promise: PromiseView
    windows: list[WindowView] = Field(description="What was counted, up to the deadline or to where it stands still")
    pauses: list[PauseView] = Field(description="What was left out")
    moves: list[EntryView] = Field(description="The entries that moved the deadline")
    entries: list[EntryView] = Field(description="Everything that was told, in the order in which it was")
    came: list[RungView]
    to_come: list[RungView]
    is_due_at_once: bool = Field(description="A change left less than was spent already: due when it came")
    provisional_since: date | None = Field(description="Last date the calendar knows, when the deadline is later")


class ExplanationView(BaseModel):
    request_id: UUID
    reference: str
    read_at: datetime
    clocks: list[ClockExplanationView]


class FindingView(BaseModel):
    text: str
    holds: bool
    parts: list[FindingView]


class AskedView(BaseModel):
    policy: str
    condition: FindingView


class ChoiceView(BaseModel):
    from_at: datetime
    cause: Happening | None = Field(description="What changed the terms; null for those it began with")
    policy: str
    policy_version: int
    mode: Mode
    asked: list[AskedView] = Field(description="In the order of the rules; the last one applies")


class PolicyChoiceView(BaseModel):
    request_id: UUID
    reference: str
    choices: list[ChoiceView]


def view_explanation(explanation: Explanation, *, names_others: bool) -> ClockExplanationView:
    """
    Args:
        names_others: whether the caller sees the request that this one was merged into.
    """
    course = explanation.course
    reading, target = course.reading, course.target
    return ClockExplanationView(
        objective=target.objective.code,
        cycle=course.cycle.number,
        state=reading.state,
        cause=reading.cause,
        is_kept=reading.is_kept,
        started_at=reading.started_at,
        counted_from=target.anchor_at,
        due_at=reading.due_at,
        stopped_at=reading.ended_at,
        promise=PromiseView(
            policy=target.terms.policy.code,
            policy_version=target.terms.rulebook.version,
            mode=target.mode,
            party=target.objective.party,
            budget=write_budget(target.budget),
            budget_kind=target.budget.kind,
            budget_seconds=budget_seconds(target.budget),
            extension_seconds=target.extension.total_seconds(),
            calendar=calendar_name(target),
        ),
        windows=[
            WindowView(
                start=window.start,
                end=window.end,
                counted_seconds=window.counted.total_seconds(),
                total_seconds=window.total.total_seconds(),
            )
            for window in explanation.windows
        ],
        pauses=[PauseView(start=p.start, end=p.end, reasons=list(p.reasons)) for p in explanation.left_out],
        moves=[_view_entry(effect, names_others=names_others) for effect in explanation.moves],
        entries=[_view_entry(effect, names_others=names_others) for effect in explanation.effects],
        came=view_rungs(course.came),
        to_come=view_rungs(course.to_come),
        is_due_at_once=explanation.is_due_at_once,
        provisional_since=explanation.provisional_since,
    )


def view_choice(choice: Choice) -> ChoiceView:
    terms = choice.terms
    return ChoiceView(
        from_at=terms.from_at,
        cause=terms.cause,
        policy=terms.policy.code,
        policy_version=terms.rulebook.version,
        mode=terms.mode,
        asked=[AskedView(policy=asked.policy.code, condition=_view_finding(asked.finding)) for asked in choice.asked],
    )


def _view_finding(finding: Finding) -> FindingView:
    return FindingView(text=finding.text, holds=finding.holds, parts=[_view_finding(part) for part in finding.parts])


def _view_entry(effect: Effect, *, names_others: bool) -> EntryView:
    entry = effect.entry
    is_hidden = entry.happening is Happening.MERGED and not names_others
    details: Mapping[str, Any] | None = None if is_hidden else entry.details
    return EntryView(
        origin=entry.origin,
        sequence=entry.sequence,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        happening=entry.happening,
        value=entry.value,
        details=None if details is None else dict(details),
        effect=effect.kind,
        due_before=effect.due_before,
        due_after=effect.due_after,
    )
