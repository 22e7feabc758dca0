"""Puts the endpoints together."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from fastapi import FastAPI

from services.intake.api import (
    batch,
    changes,
    listing,
    lookups,
    moves,
    process_drafts,
    processes,
    status,
    status_data,
    submit,
    system,
    texts,
    timeline,
    verifying,
)
from services.intake.api.context import Context
from services.intake.api.description import JsonObject, describe
from services.intake.api.page import StatusPage
from services.intake.api.problems import count_refusals
from shared.http import create_app, problem_responses
from shared.http.app import Readiness


def create_api(context: Context, status_page: StatusPage, readiness: Readiness) -> FastAPI:
    app = create_app(
        "intake",
        readiness=readiness,
        streamed=[batch.PATH],
        title="Punctual intake",
        description="The front door: submit requests, move them through their stages, look them up.",
    )
    app.state.context = context
    app.state.status_page = status_page
    for module in (
        submit,
        batch,
        moves,
        listing,
        lookups,
        changes,
        timeline,
        texts,
        processes,
        process_drafts,
        verifying,
        system,
        status_data,
        status,
    ):
        app.include_router(module.router, responses=problem_responses(500, 503))
    count_refusals(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]  # the framework's way of adding to it
    return app


def describe_api(status_page: StatusPage) -> JsonObject:
    """The OpenAPI document. Describing touches nothing that the endpoints work with."""

    async def readiness() -> dict[str, str | None]:
        return {}

    return describe(create_api(cast(Any, None), status_page, readiness))
