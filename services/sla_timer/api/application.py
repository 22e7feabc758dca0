"""Puts the endpoints together."""

from __future__ import annotations

from fastapi import FastAPI

from services.sla_timer.api import clocks, drafts, explanations, modes, policies, summary, verifying, versions
from services.sla_timer.api.context import Context
from shared.http import create_app
from shared.http.access import Access
from shared.http.readiness import Readiness


def create_api(context: Context, access: Access, readiness: Readiness) -> FastAPI:
    app = create_app(
        "sla_timer",
        readiness=readiness,
        access=access,
        title="Punctual sla_timer",
        description="Deadlines: what is due when and why, what was warned, breached and escalated, under which policy.",
    )
    app.state.context = context
    for module in (clocks, explanations, verifying, summary, policies, versions, drafts, modes):
        app.include_router(module.router)
    access.check_routes(app)
    return app
