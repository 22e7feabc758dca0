"""Process definitions that are not in force yet: checked, compared, put in force."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from services.intake.api.bodies import Reason, YamlText
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.etags import SeenOf, shown_etag, version_etag
from services.intake.api.examples import PROCESS
from services.intake.api.problems import process_unknown, superseded
from services.intake.api.process_views import (
    AppliedView,
    CodeOf,
    ErrorView,
    ProcessDifferencesView,
    ProcessLintView,
    RemarkView,
    view_process,
)
from services.intake.domain.process_differences import find_process_differences
from services.intake.domain.process_linting import remark_on_process
from services.intake.handlers.superseded import Superseded
from services.intake.store import processes as store
from shared.errors import ConfigurationError
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute
from shared.http.problems import MOST_ERRORS, few_errors
from shared.rules.document import Complaint, InvalidDocument

router = APIRouter(route_class=GuardedRoute, tags=["processes"])

_USE = "For If-Match of the next change"

TextOf = Annotated[YamlText, Body(media_type="text/yaml", description="The whole definition", examples=[PROCESS])]


@router.post(
    "/v1/processes:lint",
    summary="Check a definition without using it",
    responses=problem_responses(400, 401, 403, 413, 422),
)
async def lint(body: TextOf, context: ContextOf) -> ProcessLintView:
    text = _text(body)
    try:
        process = await context.processes.read_apart(text)
    except InvalidDocument as error:
        return ProcessLintView(errors=_few(error.complaints), remarks=[])
    found = await asyncio.to_thread(remark_on_process, process, text, "")
    remarks = [RemarkView(line=r.line, where=r.where, message=r.message) for r in found]
    return ProcessLintView(errors=[], remarks=remarks)


@router.post(
    "/v1/processes:diff",
    summary="What a definition would change of the one in force",
    responses=problem_responses(400, 401, 403, 404, 413, 422),
)
async def diff(body: TextOf, context: ContextOf) -> ProcessDifferencesView:
    try:
        draft = await context.processes.read_apart(_text(body))
    except InvalidDocument as error:
        raise _refused(error) from None
    former = context.processes.book.newest(draft.code)
    if former is None:
        raise process_unknown(f"there is no process {draft.code} yet")
    return ProcessDifferencesView(
        process=draft.code,
        from_version=former.version,
        to_version=None,
        differences=find_process_differences(former, draft),
    )


@router.put(
    "/v1/processes/{process}",
    summary="Put a definition in force for requests that come from now on",
    responses={200: {"headers": shown_etag(_USE)}, **problem_responses(400, 401, 403, 409, 412, 413, 422)},
)
async def apply(
    process: CodeOf,
    body: TextOf,
    context: ContextOf,
    caller: CallerOf,
    seen: SeenOf,
    response: Response,
    reason: Annotated[Reason, Query(description="Why, in a few words; kept with it")],
) -> AppliedView:
    """Requests under way keep the version they began with. The same text again makes no new version, whatever If-Match
    says: what is asked for is so already.
    """
    text = _text(body)
    try:
        draft = await context.processes.read_to_apply(text)
        if draft.code != process:
            raise _invalid([FieldError(field="process", message=f"the text defines {draft.code}, the path {process}")])
        async with context.database.transaction() as connection:
            applied = await context.processes.apply(connection, draft, text, caller.name, reason, seen)
            stored = await store.load_version(connection, process, applied.process.version)
    except InvalidDocument as error:
        raise _refused(error) from None
    except Superseded as found:
        raise superseded(found) from None
    except ConfigurationError as error:
        raise Problem(409, "process_conflict", "The definition does not fit the others", f"{error}.") from None
    await context.processes.follow()
    assert stored is not None  # it was written in the same transaction
    response.headers["ETag"] = version_etag(stored.version)
    return AppliedView(**view_process(stored).model_dump(), new=applied.is_new)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid([FieldError(field="body", message="is not UTF-8 text")]) from None


def _few(complaints: Sequence[Complaint]) -> list[ErrorView]:
    """As many as a refusal names; the last line says how many more there are."""
    told = [ErrorView(line=c.line, field=c.field, message=c.message) for c in complaints[:MOST_ERRORS]]
    if more := len(complaints) - len(told):
        told.append(ErrorView(line=complaints[len(told)].line, field="document", message=f"and {more} more are wrong"))
    return told


def _refused(error: InvalidDocument) -> Problem:
    return _invalid(few_errors(error.complaints, _in_line))


def _in_line(found: Complaint) -> FieldError:
    return FieldError(field=found.field, message=f"line {found.line}: {found.message}")


def _invalid(errors: list[FieldError]) -> Problem:
    return Problem(422, "process_invalid", "The definition cannot be used", "What was in force stays.", errors=errors)
