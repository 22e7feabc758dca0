"""Rules of automation: what is in force, earlier versions, checks, trials on the past, and putting others in force."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field

from services.intake.api.automation_views import (
    AutomationAppliedView,
    AutomationVersionView,
    AutomationView,
    TrialView,
    view_automation,
    view_trial,
)
from services.intake.api.bodies import Body as StrictBody
from services.intake.api.bodies import Instant, Reason, Whole, YamlText
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.etags import SeenOf, shown_etag, version_etag
from services.intake.api.examples import AUTOMATION
from services.intake.api.paging import PAGED, NumberAfter, link_next, read_number
from services.intake.api.problems import superseded
from services.intake.api.visibility import visibility_of
from services.intake.domain.automation.deciding import PAST_FACTS, Past
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.trying import Trial
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.handlers.acting import case_of
from services.intake.handlers.superseded import Superseded
from services.intake.store import automation as store
from services.intake.store.lookups import read_past_page
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute
from shared.http.problems import few_errors
from shared.rules.document import Complaint, InvalidDocument

router = APIRouter(route_class=GuardedRoute, tags=["automation"])

_FIRST = UUID(int=0)

TextOf = Annotated[
    YamlText, Body(media_type="text/yaml", description="The whole of automation.yml", examples=[AUTOMATION])
]


class TrialBody(StrictBody):
    source: str | None = Field(
        None, description="The whole of automation.yml; what is in force if left out", max_length=1_000_000
    )
    submitted_from: Instant
    submitted_to: Instant
    most_listed: Whole = Field(20, ge=0, le=200, description="Requests listed for each rule and page")
    limit: Whole = Field(200, ge=1, le=500, description="Requests looked at by one call")
    after: UUID | None = Field(None, description="`next` of the answer before")


@router.get(
    "/v1/automation",
    summary="The rules in force",
    responses={200: {"headers": shown_etag("For If-Match of a change")}, **problem_responses(401, 403, 422)},
)
async def in_force(context: ContextOf, _: CallerOf, response: Response) -> AutomationView:
    found = context.automations.in_force.version
    response.headers["ETag"] = version_etag(found.version)
    return view_automation(found)


@router.get(
    "/v1/automation/versions",
    summary="Every version that was ever in force, the newest first",
    responses=PAGED | problem_responses(401, 403, 422),
)
async def versions(
    context: ContextOf,
    _: CallerOf,
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: NumberAfter = None,
) -> list[AutomationVersionView]:
    async with context.database.connection() as connection:
        found = await store.list_versions(connection, read_number(after), limit)
    if len(found) == limit:
        link_next(request, response, str(found[-1].version))
    return [AutomationVersionView(**view_automation(each).model_dump(exclude={"source"})) for each in found]


@router.put(
    "/v1/automation",
    summary="Put rules in force",
    responses={
        200: {"headers": shown_etag("For If-Match of the next change")},
        **problem_responses(400, 401, 403, 412, 413, 422),
    },
)
async def apply(
    body: TextOf,
    context: ContextOf,
    caller: CallerOf,
    seen: SeenOf,
    response: Response,
    reason: Annotated[Reason, Query(description="Why, in a few words; kept with them")],
) -> AutomationAppliedView:
    """The same text again makes no new version, whatever If-Match says: what is asked for is so already. Rules that act
    look at a request when something happens to it; those that remind reach every request that is not over, within a
    minute or so of many.
    """
    try:
        source = body.decode("utf-8")
        async with context.database.transaction() as connection:
            is_new = await context.automations.apply(connection, source, caller.name, reason, seen)
            newest = await store.newest(connection)
    except UnicodeDecodeError:
        raise _invalid([FieldError(field="body", message="is not UTF-8 text")]) from None
    except InvalidDocument as error:
        raise _refused(error) from None
    except Superseded as found:
        raise superseded(found) from None
    await context.automations.follow()
    assert newest is not None  # it was written in the same transaction, or before
    response.headers["ETag"] = version_etag(newest.version)
    return AutomationAppliedView(**view_automation(newest).model_dump(), new=is_new)


@router.post(
    "/v1/automation:try",
    summary="What rules would have done to requests of the past, page by page",
    responses=problem_responses(400, 401, 403, 413, 422),
)
async def try_rules(body: TrialBody, context: ContextOf, caller: CallerOf) -> TrialView:
    """Rules that are off are tried like those that are on, on the requests that the caller sees. `requests_before` and
    `complaints_before` count what the caller sees, too. Nothing is changed.
    """
    source = context.automations.in_force.version.source if body.source is None else body.source
    try:
        rules = await asyncio.to_thread(read_automation, source, "source")  # of its own: a thread goes through them
    except InvalidDocument as error:
        raise _invalid(few_errors(error.complaints, _in_source)) from None
    since, until, visibility = body.submitted_from, body.submitted_to, visibility_of(caller)
    async with context.database.connection() as connection:
        records = await read_past_page(connection, since, until, body.after or _FIRST, body.limit, visibility)
        lives = [record.life for record in records]
        processes = [await context.processes.of(connection, life.process, life.process_version) for life in lives]
        pasts: Mapping[UUID, Past] = {}
        if rules.names() & PAST_FACTS:
            pasts = await store.count_pasts(connection, [record.request_id for record in records], visibility)
    trial = Trial(rules, body.most_listed, context.clock.now())
    await asyncio.to_thread(_try, trial, records, processes, pasts)
    return view_trial(trial, records[-1].request_id if len(records) == body.limit else None)


def _try(trial: Trial, records: list[RequestRecord], processes: list[Process], pasts: Mapping[UUID, Past]) -> None:
    for record, process in zip(records, processes, strict=True):
        trial.take(record.reference, case_of(record, process, pasts.get(record.request_id, Past())))


def _refused(error: InvalidDocument) -> Problem:
    return _invalid(few_errors(error.complaints, _in_body))


def _in_body(found: Complaint) -> FieldError:
    return FieldError(field=found.field, message=f"line {found.line}: {found.message}")


def _in_source(found: Complaint) -> FieldError:
    return FieldError(field="source", message=f"line {found.line}, {found.field}: {found.message}")


def _invalid(errors: list[FieldError]) -> Problem:
    return Problem(422, "automation_invalid", "The rules cannot be used", "What was in force stays.", errors=errors)
