"""Earlier versions of the rules, what is different between them, and their way to the clocks that run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.sla_timer.api.context import Context, ContextOf
from services.sla_timer.api.paging import link_next, read_number
from services.sla_timer.api.rule_views import TextsView, VersionView, view_summary, view_texts
from services.sla_timer.domain.differences import find_differences
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.store import policy_versions, rollouts
from shared.errors import ConfigurationError
from shared.http import Problem, problem_responses
from shared.http.access import GuardedRoute
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["rules"])

_MOST = 2**31 - 1
Version = Annotated[int, Path(ge=1, le=_MOST)]


@router.get("/v1/policies/versions", responses=problem_responses(401, 422))
async def versions(
    context: ContextOf,
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(description="Where the page before ended; from its Link header")] = None,
) -> list[VersionView]:
    """Every version that was ever in force, the newest first."""
    before = read_number(after)
    async with context.database.connection() as connection:
        found = await policy_versions.list_versions(connection, before, limit)
    if len(found) == limit:
        link_next(request, response, str(found[-1].version))
    return [view_summary(version) for version in found]


@router.get("/v1/policies/versions/{version}", responses=problem_responses(401, 404))
async def one_version(version: Version, context: ContextOf) -> TextsView:
    """A version with its texts."""
    async with context.database.connection() as connection:
        try:
            return view_texts(await policy_versions.load(connection, version))
        except LookupError:
            raise _unknown(version) from None


class DifferencesView(BaseModel):
    from_version: int
    to_version: int
    differences: list[str] = Field(description="A line for each thing that was added, removed or changed")


@router.get("/v1/policies/versions/{version}/differences", responses=problem_responses(401, 404, 422))
async def differences(
    version: Version,
    context: ContextOf,
    to: Annotated[
        int | None, Query(ge=1, le=_MOST, description="The other version; without it the one in force")
    ] = None,
) -> DifferencesView:
    """What changed between two versions."""
    other = to if to is not None else context.rulebooks.in_force.version
    async with context.database.connection() as connection:
        before, after = await _rulebook(context, connection, version), await _rulebook(context, connection, other)
    return DifferencesView(from_version=version, to_version=other, differences=find_differences(before, after))


class RolloutView(BaseModel):
    rollout_id: int
    kind: str = Field(description="policy or mode")
    policy_version: int | None
    ordered_at: datetime
    author: str
    done_at: datetime | None = Field(description="null until every running clock has been told")
    requests: int = Field(description="Requests told so far")


@router.get("/v1/rollouts", responses=problem_responses(401))
async def latest_rollouts(context: ContextOf, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> list[RolloutView]:
    """The latest changes that running clocks are told, newest first."""
    async with context.database.connection() as connection:
        found = await rollouts.list_rollouts(connection, limit)
    return [
        RolloutView(
            rollout_id=rollout.rollout_id,
            kind=rollout.kind,
            policy_version=rollout.policy_version,
            ordered_at=rollout.ordered_at,
            author=rollout.author,
            done_at=rollout.done_at,
            requests=rollout.requests,
        )
        for rollout in found
    ]


async def _rulebook(context: Context, connection: Connection, version: int) -> Rulebook:
    try:
        return await context.rulebooks.at(connection, version)
    except LookupError:
        raise _unknown(version) from None
    except ConfigurationError:
        raise Problem(
            422, "version_unreadable", "That version cannot be read any more", "An older program wrote it."
        ) from None


def _unknown(version: int) -> Problem:
    return Problem(404, "version_not_found", f"There is no policy version {version}")
