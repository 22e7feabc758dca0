"""Puts the endpoints together."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from services.intake.api import (
    audit,
    automation,
    batch,
    branches,
    data_quality,
    keys,
    lookups,
    moves,
    process_drafts,
    processes,
    quarantine,
    status,
    streams,
    submit,
    system,
    texts,
    validation,
    verifying,
)
from services.intake.api.context import Context
from services.intake.api.page import StatusPage
from services.intake.api.problems import count_refusals
from services.intake.api.rate_limits import RateHeaders, limit_rate
from shared.http import create_app, problem_responses
from shared.http.access import Access
from shared.http.access.guard import enforce
from shared.http.app import Readiness


def create_api(context: Context, access: Access, status_page: StatusPage, readiness: Readiness) -> FastAPI:
    app = create_app(
        "intake",
        readiness=readiness,
        access=access,
        dependencies=[Depends(enforce), Depends(limit_rate)],
        responses=problem_responses(401, 403, 429, 503),
        streamed=[batch.PATH],
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
        lookups,
        texts,
        processes,
        process_drafts,
        automation,
        verifying,
        keys,
        audit,
    ):
        app.include_router(module.router)
    for module in (system, status):
        app.include_router(module.router)
    for module in (quarantine, data_quality, validation, streams):
        app.include_router(module.router)
    count_refusals(app)
    access.check_routes(app)
    return app
