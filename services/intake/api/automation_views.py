"""Rules of automation as answers show them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.intake.domain.automation.trying import Trial
from services.intake.store.automation import AutomationVersion


class AutomationVersionView(BaseModel):
    version: int
    origin: str = Field(description="file or api")
    author: str
    reason: str | None
    applied_at: datetime = Field(description="Since when it is in force")


class AutomationView(AutomationVersionView):
    source: str = Field(description="The rules as they were written")


class AutomationAppliedView(AutomationView):
    new: bool = Field(description="false when this text was in force already")


class WouldActView(BaseModel):
    reference: str
    sequence: int = Field(description="After this entry of its history")
    at: datetime
    agrees: bool | None = Field(
        description="Whether people ended it then as the rule would have; null where that says nothing"
    )
    held_back: bool = Field(description="It would have been left to people")


class RuleTrialView(BaseModel):
    rule: str
    acted: int = Field(description="On how many requests it would have acted")
    times: int = Field(description="How often; a rule may act at each stay at a stage, one that reminds several times")
    held_back: int = Field(description="On how many requests it would have applied and left them to people")
    agreed: int = Field(description="How often people, not rules, ended these and those as the rule would have")
    disagreed: int
    listed: list[WouldActView]


class TrialView(BaseModel):
    requests: int = Field(description="How many were looked at")
    rules: list[RuleTrialView]
    next: UUID | None = Field(description="Give it as `after` to go on; null at the end")


def view_automation(found: AutomationVersion) -> AutomationView:
    return AutomationView(
        version=found.version,
        origin=found.origin,
        author=found.author,
        reason=found.reason,
        applied_at=found.applied_at,
        source=found.source,
    )


def view_trial(trial: Trial, following: UUID | None) -> TrialView:
    rules = [
        RuleTrialView(
            rule=result.rule,
            acted=result.acted,
            times=result.times,
            held_back=result.held_back,
            agreed=result.agreed,
            disagreed=result.disagreed,
            listed=[
                WouldActView(
                    reference=each.reference,
                    sequence=each.sequence,
                    at=each.at,
                    agrees=each.agrees,
                    held_back=each.is_held_back,
                )
                for each in result.listed
            ],
        )
        for result in trial.results.values()
    ]
    return TrialView(requests=trial.requests, rules=rules, next=following)
