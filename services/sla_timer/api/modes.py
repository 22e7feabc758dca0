"""Modes of the house: entered, left, shown."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, FailFast, Field

from services.sla_timer.api.context import ContextOf
from services.sla_timer.domain.rules import Mode
from services.sla_timer.store.modes import DeclaredMode
from shared.contracts.payload import Code, Instant, Market
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute, PrincipalOf
from shared.ids import new_id

router = APIRouter(route_class=GuardedRoute, tags=["modes"])

Reason = Annotated[Code, Field(description="Why, in a word such as `typhoon`; prose stays out of what is told on")]


class EnterableMode(StrEnum):
    """Normal is what remains when all others are left."""

    PEAK = Mode.PEAK.value
    EMERGENCY = Mode.EMERGENCY.value


class Entering(BaseModel):
    reason: Reason
    markets: Annotated[list[Market], FailFast()] = Field([], description="Where; empty: everywhere")
    until_at: Instant | None = Field(None, description="When it ends by itself; null: when somebody leaves it")


class Leaving(BaseModel):
    reason: Reason


class ModeView(BaseModel):
    activation_id: UUID
    mode: Mode
    markets: list[Market] = Field(description="Where; empty: everywhere")
    reason: str
    author: str
    entered_at: datetime
    until_at: datetime | None
    left_at: datetime | None = Field(description="null while it is in force")
    left_reason: str | None
    left_by: str | None


class ModesView(BaseModel):
    in_force: dict[Market, Mode] = Field(description="Of several the gravest counts")
    declared: list[ModeView] = Field(description="In force or left within the last month, in the order of entering")


@router.get("/v1/modes", responses=problem_responses(401))
async def modes(context: ContextOf) -> ModesView:
    """Which mode is in force where, and who declared what lately."""
    await context.modes.refresh()
    return ModesView(
        in_force={market: context.modes.in_force(market) for market in Market},
        declared=[_view(declared) for declared in context.modes.declared],
    )


@router.post("/v1/modes/{mode}:enter", status_code=201, responses=problem_responses(401, 403, 422))
async def enter_mode(mode: EnterableMode, entering: Entering, context: ContextOf, staff: PrincipalOf) -> ModeView:
    """Put a mode in force from now on. Running clocks are told, each by an event of its own."""
    if entering.until_at is not None and entering.until_at <= context.clock.now():
        raise Problem(
            422,
            "invalid_fields",
            "Some fields are missing or wrong",
            errors=[FieldError(field="until_at", message="must lie in the future")],
        )
    declared = await context.modes.enter(
        new_id(),
        Mode(mode.value),
        markets=entering.markets,
        reason=entering.reason,
        author=staff.name,
        until_at=entering.until_at,
    )
    return _view(declared)


@router.post("/v1/modes/{activation_id}:leave", responses=problem_responses(401, 403, 404, 422))
async def leave_mode(activation_id: UUID, leaving: Leaving, context: ContextOf, staff: PrincipalOf) -> ModeView:
    """End a mode from now on."""
    left = await context.modes.leave(activation_id, reason=leaving.reason, author=staff.name)
    if left is None:
        raise Problem(404, "mode_not_in_force", "No such mode is in force", "It may have ended already.")
    return _view(left)


def _view(declared: DeclaredMode) -> ModeView:
    activation = declared.activation
    return ModeView(
        activation_id=activation.activation_id,
        mode=activation.mode,
        markets=[Market(market) for market in sorted(activation.markets)],
        reason=declared.reason,
        author=declared.author,
        entered_at=activation.entered_at,
        until_at=declared.until_at,
        left_at=activation.left_at,
        left_reason=declared.left_reason,
        left_by=declared.left_by,
    )
