"""Policies in force, and their replacement."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from services.sla_timer.api.context import CallerOf, ContextOf, StaffOf
from services.sla_timer.api.views import PolicyView, view_policy
from services.sla_timer.domain.document import InvalidDocument
from shared.http import FieldError, Problem, problem_responses

router = APIRouter(tags=["policies"])


@router.get("/v1/policies", responses=problem_responses(401))
async def policies_in_force(context: ContextOf, _: CallerOf) -> PolicyView:
    """The version new clocks are started under, with its text."""
    return view_policy(context.rulebooks.in_force, context.rulebooks.trouble)


@router.put("/v1/policies", responses=problem_responses(401, 403, 413, 422))
async def replace_policies(
    body: Annotated[bytes, Body(media_type="text/yaml", description="The whole of policies.yml")],
    context: ContextOf,
    staff: StaffOf,
) -> PolicyView:
    """Put new policies in force for requests that come from now on. The same text again changes nothing."""
    try:
        version = await context.rulebooks.replace_policies(body.decode("utf-8"), staff.name)
    except UnicodeDecodeError:
        raise _refused([FieldError(field="body", message="is not UTF-8 text")]) from None
    except InvalidDocument as error:
        errors = [FieldError(field=c.field, message=f"{c.file}, line {c.line}: {c.message}") for c in error.complaints]
        raise _refused(errors) from None
    return view_policy(version, context.rulebooks.trouble)


def _refused(errors: list[FieldError]) -> Problem:
    return Problem(422, "policies_invalid", "The policies cannot be used", "What was in force stays.", errors=errors)
