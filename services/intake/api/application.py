"""Puts the endpoints together."""

from __future__ import annotations

from fastapi import FastAPI

from services.intake.api import (
    batch,
    listing,
    lookups,
    moves,
    process_drafts,
    processes,
    status,
    submit,
    system,
    texts,
    verifying,
)
from services.intake.api.context import Context
from services.intake.api.page import StatusPage
from services.intake.api.problems import count_refusals
from shared.http import create_app
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
    for module in (submit, batch, moves, listing, lookups, texts, processes, process_drafts, verifying, system, status):
        app.include_router(module.router)
    count_refusals(app)
    return app
