"""What every endpoint works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from services.sla_timer.handlers.loading import Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.programs import Programs
from services.sla_timer.handlers.rulebooks import Rulebooks
from shared.clock import Clock
from shared.postgres import Database


@dataclass(frozen=True, slots=True)
class Context:
    """Attributes:
    loading: for looking only; nothing that it loads is kept.
    programs: long readings in processes of their own.
    """

    database: Database
    clock: Clock
    rulebooks: Rulebooks
    modes: Modes
    loading: Loading
    programs: Programs


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextOf = Annotated[Context, Depends(_context)]
