"""Process definitions as they are and were in force, and their pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.intake.api.context import Context, ContextOf
from services.intake.api.etags import shown_etag, version_etag
from services.intake.api.paging import PAGED, NumberAfter, link_next, read_number
from services.intake.api.problems import process_unknown
from services.intake.api.process_views import (
    CodeOf,
    ProcessDifferencesView,
    ProcessView,
    SummaryView,
    VersionView,
    view_process,
)
from services.intake.domain.process import Process
from services.intake.domain.process_diagram import draw_mermaid, draw_svg
from services.intake.domain.process_differences import find_process_differences
from services.intake.handlers.processes import read_stored
from services.intake.store import processes as store
from services.intake.store.processes import ProcessVersion
from shared.errors import ConfigurationError
from shared.http import Problem, problem_responses
from shared.http.access import GuardedRoute
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["processes"])

_MOST = 2**31 - 1

VersionOf = Annotated[int | None, Query(ge=1, le=_MOST, description="Which version; without it the one in force")]


@router.get("/v1/processes", summary="The definitions in force", responses=problem_responses(401, 422))
async def in_force(context: ContextOf) -> list[SummaryView]:
    return [
        SummaryView(
            process=process.code,
            version=process.version,
            kind=process.kind,
            product_lines=list(process.product_lines),
            stages=list(process.stages),
            outcomes=list(process.outcomes),
        )
        for process in context.processes.book.in_force()
    ]


@router.get(
    "/v1/processes/{process}",
    summary="A definition",
    responses={200: {"headers": shown_etag("For If-Match of a change")}, **problem_responses(401, 404, 422)},
)
async def one(process: CodeOf, context: ContextOf, response: Response, version: VersionOf = None) -> ProcessView:
    async with context.database.connection() as connection:
        found = await _stored(context, connection, process, version)
    response.headers["ETag"] = version_etag(found.version)
    return view_process(found)


@router.get(
    "/v1/processes/{process}/versions",
    summary="Every version that was ever in force, the newest first",
    responses=PAGED | problem_responses(401, 404, 422),
)
async def versions(
    process: CodeOf,
    context: ContextOf,
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: NumberAfter = None,
) -> list[VersionView]:
    async with context.database.connection() as connection:
        found = await store.list_versions(connection, process, read_number(after), limit)
    if not found and after is None:
        raise process_unknown(f"there is no process {process}")
    if len(found) == limit:
        link_next(request, response, str(found[-1].version))
    return [VersionView(**view_process(version).model_dump(exclude={"source"})) for version in found]


@router.get(
    "/v1/processes/{process}/differences",
    summary="What changed between two versions",
    responses=problem_responses(401, 404, 422),
)
async def differences(
    process: CodeOf,
    context: ContextOf,
    before: Annotated[int, Query(alias="from", ge=1, le=_MOST, description="The older version")],
    to: VersionOf = None,
) -> ProcessDifferencesView:
    async with context.database.connection() as connection:
        old = await _read(context, connection, process, before)
        new = await _read(context, connection, process, to)
    return ProcessDifferencesView(
        process=process,
        from_version=old.version,
        to_version=new.version,
        differences=find_process_differences(old, new),
    )


@router.get(
    "/v1/processes/{process}/diagram.svg",
    summary="A picture of a definition",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}, **problem_responses(401, 404, 422)},
)
async def diagram_svg(process: CodeOf, context: ContextOf, version: VersionOf = None) -> Response:
    async with context.database.connection() as connection:
        found = await _read(context, connection, process, version)
    return Response(draw_svg(found), media_type="image/svg+xml")


@router.get(
    "/v1/processes/{process}/diagram.mmd",
    summary="A definition as a Mermaid state diagram",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problem_responses(401, 404, 422)},
)
async def diagram_mermaid(process: CodeOf, context: ContextOf, version: VersionOf = None) -> Response:
    async with context.database.connection() as connection:
        found = await _read(context, connection, process, version)
    return Response(draw_mermaid(found), media_type="text/plain")


async def _stored(context: Context, connection: Connection, code: str, version: int | None) -> ProcessVersion:
    if version is None:
        newest = context.processes.book.newest(code)
        version = newest.version if newest is not None else 0
    found = await store.load_version(connection, code, version)
    if found is None:
        which = f"version {version} of process {code}" if version else f"process {code}"
        raise process_unknown(f"there is no {which}")
    return found


async def _read(context: Context, connection: Connection, code: str, version: int | None) -> Process:
    try:
        return read_stored(await _stored(context, connection, code, version))
    except ConfigurationError:
        raise Problem(
            422, "version_unreadable", "That version cannot be read any more", "An older program wrote it."
        ) from None
