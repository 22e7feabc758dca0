"""The rules in force, and their replacement."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Body, Query

from services.sla_timer.api.context import Context, ContextOf
from services.sla_timer.api.rule_views import PolicyView, view_policy
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute, Principal, PrincipalOf
from shared.rules.document import InvalidDocument

router = APIRouter(route_class=GuardedRoute, tags=["rules"])


class Running(StrEnum):
    """What becomes of the clocks that run already."""

    KEEP = "keep"
    APPLY = "apply"


ReasonOf = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f-\x9f]*$",
        description="Why, in a few words on one line; kept with the version",
    ),
]
RunningOf = Annotated[
    Running, Query(description="keep: clocks that run keep their rules. apply: they follow, an event for each")
]


@router.get("/v1/policies", responses=problem_responses(401))
async def policies_in_force(context: ContextOf) -> PolicyView:
    """The version new clocks are started under, with its texts."""
    return view_policy(context.rulebooks.in_force, context.rulebooks.trouble)


@router.put("/v1/policies", responses=problem_responses(401, 403, 413, 422))
async def replace_policies(
    body: Annotated[bytes, Body(media_type="text/yaml", description="The whole of policies.yml")],
    context: ContextOf,
    staff: PrincipalOf,
    reason: ReasonOf = None,
    running: RunningOf = Running.KEEP,
) -> PolicyView:
    """Put new policies in force for requests that come from now on. The same text again makes no new version."""
    return await _replace(context, staff, reason, running, policies=_text(body, "policies"))


@router.put("/v1/calendars", responses=problem_responses(401, 403, 413, 422))
async def replace_calendars(
    body: Annotated[bytes, Body(media_type="text/yaml", description="The whole of calendars.yml")],
    context: ContextOf,
    staff: PrincipalOf,
    reason: ReasonOf = None,
    running: RunningOf = Running.KEEP,
) -> PolicyView:
    """Put new calendars in force, as policies are."""
    return await _replace(context, staff, reason, running, calendars=_text(body, "calendars"))


async def _replace(
    context: Context,
    staff: Principal,
    reason: str | None,
    running: Running,
    *,
    policies: str | None = None,
    calendars: str | None = None,
) -> PolicyView:
    try:
        sources = await context.rulebooks.draft(policies, calendars)
    except InvalidDocument as error:
        raise refused(error, "policies" if policies is not None else "calendars") from None
    version = await context.rulebooks.put_in_force(sources, staff.name, reason, moves_running=running is Running.APPLY)
    return view_policy(version, context.rulebooks.trouble)


def refused(error: InvalidDocument, what: str) -> Problem:
    """The texts cannot be used, with every place where they are wrong."""
    errors = [FieldError(field=c.field, message=f"{c.file}, line {c.line}: {c.message}") for c in error.complaints]
    return _invalid(what, errors)


def _text(body: bytes, what: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid(what, [FieldError(field="body", message="is not UTF-8 text")]) from None


def _invalid(what: str, errors: list[FieldError]) -> Problem:
    return Problem(422, f"{what}_invalid", f"The {what} cannot be used", "What was in force stays.", errors=errors)
