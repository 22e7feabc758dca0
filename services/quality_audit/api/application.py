"""Puts the application together."""

from __future__ import annotations

from fastapi import FastAPI

from services.quality_audit.api.figures import figures_router
from services.quality_audit.api.samples import samples_router
from services.quality_audit.domain.plan import Plan
from services.quality_audit.handlers.reviewing import Reviewing
from shared.clock import Clock
from shared.http import create_app
from shared.http.access import Access
from shared.http.readiness import Readiness
from shared.postgres import Database


def create_api(
    *,
    database: Database,
    access: Access,
    reviewing: Reviewing,
    plan: Plan,
    master: bytes,
    clock: Clock,
    readiness: Readiness,
) -> FastAPI:
    """Args:
    plan: serves periods that have not begun.
    master: what the secrets of the periods are derived from; for the proof.
    """
    app = create_app("quality_audit", readiness=readiness, access=access)
    app.include_router(samples_router(database, reviewing))
    app.include_router(figures_router(database, plan, master, clock))
    access.check_routes(app)
    return app
