"""What every endpoint works with, and who calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.sla_timer.handlers.loading import Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.programs import Programs
from services.sla_timer.handlers.rulebooks import Rulebooks
from shared.clock import Clock
from shared.http import Caller, KeyRing, Problem
from shared.postgres import Database


@dataclass(frozen=True, slots=True)
class Context:
    """Attributes:
    loading: for looking only; nothing that it loads is kept.
    programs: long readings in processes of their own.
    """

    database: Database
    keys: KeyRing
    clock: Clock
    rulebooks: Rulebooks
    modes: Modes
    loading: Loading
    programs: Programs


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextOf = Annotated[Context, Depends(_context)]

_bearer = HTTPBearer(auto_error=False, description="An API key of a channel system or a staff tool")


async def _caller(
    request: Request,
    context: ContextOf,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    return context.keys.authenticate(request.headers.get("authorization"))


CallerOf = Annotated[Caller, Depends(_caller)]


async def _staff(caller: CallerOf) -> Caller:
    if caller.role != "staff":
        raise Problem(403, "staff_only", "Only a staff key may do this")
    return caller


StaffOf = Annotated[Caller, Depends(_staff)]


def visible_channel(caller: Caller) -> str | None:
    """Whose requests the caller may see: a channel its own, staff all (None)."""
    return caller.name if caller.role == "channel" else None
