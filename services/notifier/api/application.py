"""Puts the application together."""

from __future__ import annotations

from fastapi import FastAPI

from services.notifier.api.customers import customers_router
from services.notifier.api.notices import notices_router
from services.notifier.handlers.holding import Holding
from services.notifier.store.listing import NoticeListing
from shared.http import create_app
from shared.http.access import Access
from shared.http.readiness import Readiness


def create_api(listing: NoticeListing, holding: Holding, access: Access, readiness: Readiness) -> FastAPI:
    app = create_app("notifier", readiness=readiness, access=access)
    app.include_router(notices_router(listing))
    app.include_router(customers_router(holding))
    access.check_routes(app)
    return app
