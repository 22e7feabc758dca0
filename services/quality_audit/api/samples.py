"""Samples and their reviews."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.quality_audit.api.views import ReviewIn, SampleOut, SamplePage
from services.quality_audit.handlers.reviewing import AlreadyReviewed, OwnCase, ReviewGiven, Reviewing, SampleUnknown
from services.quality_audit.store.samples import BEFORE_ALL, find_sample, list_samples
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute, Principal, PrincipalOf
from shared.postgres import Database


def samples_router(database: Database, reviewing: Reviewing) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, prefix="/v1/samples", tags=["samples"])

    @router.get("", responses=problem_responses(401, 403, 422))
    async def samples(
        state: Literal["open", "reviewed"] | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        after: UUID | None = None,
    ) -> SamplePage:
        """Sampled requests, oldest first."""
        is_reviewed = None if state is None else state == "reviewed"
        async with database.connection() as connection:
            found = await list_samples(connection, is_reviewed=is_reviewed, after=after or BEFORE_ALL, limit=limit + 1)
        page = found[:limit]
        return SamplePage(
            samples=[SampleOut.of(sample) for sample in page],
            after=page[-1].sample_id if len(found) > limit else None,
        )

    @router.get("/{sample_id}", responses=problem_responses(401, 403, 404, 422))
    async def sample(sample_id: UUID) -> SampleOut:
        """One sample with its review."""
        async with database.connection() as connection:
            found = await find_sample(connection, sample_id)
        if found is None:
            raise _unknown(sample_id)
        return SampleOut.of(found)

    @router.post(
        "/{sample_id}/review",
        status_code=201,
        responses={
            200: {"model": SampleOut, "description": "The same review had been taken before"},
            **problem_responses(400, 401, 403, 404, 409, 413, 422),
        },
    )
    async def review(sample_id: UUID, body: ReviewIn, caller: PrincipalOf, response: Response) -> SampleOut:
        """Take the review of a sample. It is frozen: the same one again is answered 200, another one 409.

        A person reviews in his own name; a service says whose review it brings.
        """
        given = ReviewGiven(
            _reviewer(body, caller), body.is_accurate, body.is_complete, tuple(body.error_causes), caller.name
        )
        try:
            reviewed, is_new = await reviewing.review(sample_id, given)
        except SampleUnknown:
            raise _unknown(sample_id) from None
        except AlreadyReviewed as error:
            raise Problem(409, "already_reviewed", "The sample has another review", str(error)) from None
        except OwnCase as error:
            raise Problem(409, "own_case", "Nobody reviews a case of his own", str(error)) from None
        if not is_new:
            response.status_code = 200
        return SampleOut.of(reviewed)

    return router


def _reviewer(body: ReviewIn, caller: Principal) -> str:
    named = body.reviewer
    if caller.kind != "staff":
        if named is None:
            error = FieldError(field="reviewer", message="is missing: a program says whose review it brings")
            raise Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=[error])
        return named
    if named not in {None, caller.name}:
        raise Problem(403, "other_reviewer", "Nobody reviews in another's name", f"You are signed in as {caller.name}.")
    return caller.name


def _unknown(sample_id: UUID) -> Problem:
    return Problem(404, "sample_not_found", "There is no such sample", f"{sample_id} was never drawn.")
