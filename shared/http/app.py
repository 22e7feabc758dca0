"""The FastAPI application every service starts from: probes, metrics, problems, body cap, trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.types import ASGIApp

from shared.http.access.guard import CREDENTIALS, Access, BeforeBody, GuardedRoute
from shared.http.middleware import BodyLimit, TraceAndMetrics
from shared.http.problems import install_problem_handlers, problem_responses
from shared.http.query_names import refuse_repeated_names
from shared.http.readiness import PatientReadiness, Readiness

READY = Gauge("punctual_ready", "1 when the service could do its work at this very scrape, else 0.", ["service"])


def create_app(
    service: str,
    *,
    readiness: Readiness,
    access: Access | None = None,
    before_body: Sequence[BeforeBody] = (refuse_repeated_names,),
    body_limit: int = 1_000_000,
    body_seconds: float = 60.0,
    streamed: Collection[str] = (),
    before_routing: Callable[[ASGIApp], ASGIApp] | None = None,
    **fastapi_arguments: Any,
) -> FastAPI:
    """An application with ``/healthz`` (the process runs), ``/readyz`` (it can do its work) and ``/metrics``.

    The API is described at ``/openapi.json``. There is no page that draws it: the framework's loads scripts from other
    hosts, which a closed network has not and nobody here has read.

    Args:
        access: stands before every route of the class ``GuardedRoute``; whoever adds the routes calls
            ``access.check_routes`` at the end.
        before_body: asked behind ``access``, one after the other, before a body is read.
        body_limit: bytes; a larger body is answered 413.
        body_seconds: real time that a body may take to come; a slower one is answered 408.
        streamed: paths that take a body of any length piece by piece.
        before_routing: wraps what finds the route; the body's cap, the trace and the metrics stand around it.
    """
    defaults: dict[str, Any] = {
        "title": f"Punctual {service}",
        "version": "1",
        "docs_url": None,
        "redoc_url": None,
        "redirect_slashes": False,  # no document declares the redirects, and clients drop keys on the way
    }
    if access is not None:
        defaults |= {"dependencies": [CREDENTIALS], "responses": problem_responses(401, 403, 503)}
    app = FastAPI(**{**defaults, **fastapi_arguments})
    if access is not None:
        app.router.route_class = GuardedRoute
    app.state.access = access
    app.state.before_body = tuple(before_body)
    install_problem_handlers(app)
    patient = PatientReadiness(readiness)
    if before_routing is not None:
        app.add_middleware(before_routing)
    app.add_middleware(BodyLimit, limit=body_limit, seconds=body_seconds, streamed=streamed)
    app.add_middleware(TraceAndMetrics, service=service)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        parts = await patient.ask()
        is_ready = _is_fine(parts)
        body = {
            "status": "ready" if is_ready else "not ready",
            "parts": {part: reason or "fine" for part, reason in parts.items()},
        }
        return JSONResponse(body, status_code=200 if is_ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        READY.labels(service).set(_is_fine(await patient.ask()))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def _is_fine(parts: Mapping[str, str | None]) -> bool:
    return all(reason is None for reason in parts.values())
