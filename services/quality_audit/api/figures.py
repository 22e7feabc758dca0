"""Scores and counts, and the proof of a period's sample."""

from __future__ import annotations

from fastapi import APIRouter

from services.quality_audit.api.views import ProofOut, ScoreCardOut, SummaryOut
from services.quality_audit.domain.period import bounds_of, period_of
from services.quality_audit.domain.plan import Plan
from services.quality_audit.handlers.figures import figures_of
from services.quality_audit.handlers.proving import prove
from services.quality_audit.store.figures import count_all
from shared.clock import Clock
from shared.contracts.payload import RequestKind
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import OVERSEERS, GuardedRoute, PrincipalOf
from shared.postgres import Database


def figures_router(database: Database, plan: Plan, master: bytes, clock: Clock) -> APIRouter:
    """Args:
    plan: serves periods that have not begun.
    master: what the secrets of the periods are derived from; for the proof.
    """
    router = APIRouter(route_class=GuardedRoute, prefix="/v1", tags=["figures"])

    @router.get("/score", responses=problem_responses(401, 403, 422))
    async def score(caller: PrincipalOf, kind: RequestKind | None = None, period: str | None = None) -> ScoreCardOut:
        """Accuracy and completeness from the sample, timeliness from all clocks; the running quarter by default."""
        now = clock.now()
        async with database.connection() as connection:
            try:
                figures = await figures_of(connection, period or period_of(now), plan, now)
            except ValueError:
                raise _no_period() from None
        return ScoreCardOut.of(figures.of_kind(kind), kind, has_strata=bool(caller.roles & OVERSEERS))

    @router.get("/summary", responses=problem_responses(401, 403))
    async def summary() -> SummaryOut:
        """Counts over all periods."""
        async with database.connection() as connection:
            totals = await count_all(connection)
        return SummaryOut(
            closed=totals.closed,
            sampled=totals.sampled,
            reviewed=totals.reviewed,
            open=totals.sampled - totals.reviewed,
        )

    @router.get("/proof", responses=problem_responses(401, 403, 404, 422))
    async def proof(period: str) -> ProofOut:
        """Recompute every choice of a period from its frozen facts, its plan and its secret."""
        try:
            bounds_of(period)
        except ValueError:
            raise _no_period() from None
        async with database.connection() as connection:
            found = await prove(connection, period, master)
        if found is None:
            raise Problem(404, "period_not_found", "Nothing was closed in this period")
        return ProofOut.of(found)

    return router


def _no_period() -> Problem:
    error = FieldError(field="query:period", message="is no quarter such as 2026Q4")
    return Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=[error])
