"""The front door with nothing behind it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI

from services.intake.api.application import create_api
from services.intake.api.context import Context
from services.intake.api.rate_limits import RateLimits
from shared.clock import ManualClock
from shared.http.access import Access
from tests.access.issuing import NOW
from tests.unit.intake.shipped import STATUS_PAGE, new_validation

_NOTHING = cast(Any, None)


def intake_of_nothing(access: Access, limits: RateLimits | None = None) -> FastAPI:
    """Whoever is let in with a call that is good fails at what is not there, and is answered 500."""
    context = Context(
        database=_NOTHING,
        outbox=cast(Any, SimpleNamespace(backlog=lambda: 0)),
        clock=ManualClock(NOW),
        keys=_NOTHING,
        processes=_NOTHING,
        moving=_NOTHING,
        customer_keys=_NOTHING,
        erasing=_NOTHING,
        acting=_NOTHING,
        validation=new_validation(),  # it counts who is refused
        automations=_NOTHING,
        public_url="",
        submissions=_NOTHING,
        feed=_NOTHING,
        seal=_NOTHING,
        limits=limits or RateLimits(),
    )
    return create_api(context, access, STATUS_PAGE, _ready)


async def _ready() -> dict[str, str | None]:
    return {}
