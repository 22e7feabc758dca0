"""Puts the endpoints together."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from fastapi import FastAPI

from services.intake.api import (
    audit,
    automation,
    batch,
    branches,
    changes,
    customers,
    data_quality,
    keys,
    listing,
    lookups,
    moves,
    process_drafts,
    processes,
    quarantine,
    status,
    status_data,
    status_feedback,
    streams,
    submit,
    system,
    texts,
    timeline,
    validation,
    verifying,
)
from services.intake.api.context import Context
from services.intake.api.description import JsonObject, describe
from services.intake.api.page import StatusPage
from services.intake.api.patience import BoundedCalls
from services.intake.api.plain_submissions import PlainSubmissions
from services.intake.api.problems import count_refusals
from services.intake.api.query_names import refuse_unknown_names
from services.intake.api.rate_limits import RateHeaders, limit_rate
from shared.http import create_app, problem_responses
from shared.http.access import Access
from shared.http.readiness import Readiness


def create_api(context: Context, access: Access, status_page: StatusPage, readiness: Readiness) -> FastAPI:
    app = create_app(
        "intake",
        readiness=readiness,
        access=access,
        before_body=[limit_rate, refuse_unknown_names],
        responses=problem_responses(401, 403, 429, 503),
        streamed=[batch.PATH],
        before_routing=lambda routing: PlainSubmissions(BoundedCalls(routing, context), context, access),
        title="Punctual intake",
        description="The front door: submit requests, move them through their stages, look them up.",
    )
    app.add_middleware(RateHeaders)
    app.state.context = context
    app.state.status_page = status_page
    for module in (
        submit,
        batch,
        moves,
        branches,
        listing,
        lookups,
        changes,
        timeline,
        texts,
        customers,
        processes,
        process_drafts,
        automation,
        verifying,
        quarantine,
        data_quality,
        validation,
        streams,
        keys,
        audit,
        system,
        status_data,
        status_feedback,
        status,
    ):
        app.include_router(module.router, responses=problem_responses(500, 503))
    count_refusals(app)
    access.check_routes(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]  # the framework's way of adding to it
    return app


def describe_api(access: Access, status_page: StatusPage) -> JsonObject:
    """The OpenAPI document. Describing touches nothing that the endpoints work with."""

    async def readiness() -> dict[str, str | None]:
        return {}

    return describe(create_api(cast(Any, None), access, status_page, readiness))
