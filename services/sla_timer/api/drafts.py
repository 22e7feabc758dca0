"""Rules that are not in force yet: whether they can be used, what is odd about them, and what they would change."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.sla_timer.api.context import ContextOf
from services.sla_timer.api.policies import refused
from services.sla_timer.api.streaming import RunResponse, stream, stream_responses
from services.sla_timer.domain.rulebook import RuleSources, lint
from shared.contracts.payload import Instant
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute, PrincipalOf
from shared.rules.document import InvalidDocument

router = APIRouter(route_class=GuardedRoute, tags=["rules"])

PREVIEW = "--preview"


class Draft(BaseModel):
    """Texts that are left out stay as they are in force."""

    policies: str | None = Field(None, description="The whole of policies.yml", max_length=1_000_000)
    calendars: str | None = Field(None, description="The whole of calendars.yml", max_length=1_000_000)


class ErrorView(BaseModel):
    file: str
    line: int
    field: str
    message: str


class RemarkView(BaseModel):
    file: str
    line: int
    policy: str
    message: str


class LintView(BaseModel):
    errors: list[ErrorView] = Field(description="Why the texts cannot be used")
    remarks: list[RemarkView] = Field(description="What can be used and may not be meant")


@router.post("/v1/rules:lint", responses=problem_responses(401, 403, 413, 422))
async def lint_rules(draft: Draft, context: ContextOf) -> LintView:
    """Check texts without putting them in force."""
    in_force = context.rulebooks.in_force.sources
    sources = RuleSources(
        in_force.policies if draft.policies is None else draft.policies,
        in_force.calendars if draft.calendars is None else draft.calendars,
    )
    try:
        remarks = await asyncio.to_thread(lint, sources)  # a text may be a megabyte long
    except InvalidDocument as error:
        return LintView(
            errors=[ErrorView(file=c.file, line=c.line, field=c.field, message=c.message) for c in error.complaints],
            remarks=[],
        )
    return LintView(
        errors=[],
        remarks=[RemarkView(file=r.file, line=r.line, policy=r.policy, message=r.message) for r in remarks],
    )


class PreviewDraft(Draft):
    history_from: Instant | None = Field(
        None, description="Also tell what would have become of the requests submitted from here on"
    )
    history_to: Instant | None = Field(None, description="Up to here; without it up to now")
    most_listed: int = Field(20, ge=0, le=1000, description="How many of the changed clocks are listed")


@router.post(
    "/v1/rules:preview",
    status_code=200,  # the class of the response has no default that the description could be made from
    response_class=RunResponse,
    responses=stream_responses(
        "A JSON object a line: `progress` while it goes on, `result` at the end, or `failed`.", 401, 403, 409, 413, 422
    ),
)
async def preview_rules(draft: PreviewDraft, context: ContextOf, caller: PrincipalOf) -> RunResponse:
    """What would change if these rules were applied to the clocks that run, and what they would have changed.

    All clocks are counted; listed are only those of requests that the caller sees.
    """
    now = context.clock.now()
    if draft.history_from is not None and draft.history_from >= (draft.history_to or now):
        raise Problem(
            422,
            "invalid_fields",
            "Some fields are missing or wrong",
            errors=[FieldError(field="history_from", message="must lie before history_to")],
        )
    try:
        sources = await context.rulebooks.draft(draft.policies, draft.calendars)
    except InvalidDocument as error:
        raise refused(error, "policies" if draft.calendars is None else "rules") from None
    job = {
        "policies": sources.policies,
        "calendars": sources.calendars,
        "now": now.isoformat(),
        "history_from": None if draft.history_from is None else draft.history_from.isoformat(),
        "history_to": (draft.history_to or now).isoformat(),
        "most_listed": draft.most_listed,
        "teams": None if caller.visible_teams is None else sorted(caller.visible_teams),
    }
    return await stream(context, PREVIEW, job)
