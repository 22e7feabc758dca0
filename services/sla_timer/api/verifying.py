"""Whether the stored clocks are what their histories say."""

from __future__ import annotations

from fastapi import APIRouter

from services.sla_timer.api.context import ContextOf
from services.sla_timer.api.streaming import RunResponse, stream, stream_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["clocks"])

VERIFY = "--verify"


@router.post(
    "/v1/clocks:verify",
    status_code=200,  # the class of the response has no default that the description could be made from
    response_class=RunResponse,
    responses=stream_responses(
        "A JSON object a line: `progress`, `difference` for each, `result` at the end, or `failed`.", 401, 403, 409
    ),
)
async def verify_clocks(context: ContextOf) -> RunResponse:
    """Rebuild every clock from its history and compare it with what is stored."""
    return await stream(context, VERIFY, {})
