"""Who calls, and whether he may."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from shared.http import Caller, KeyRing, Problem


def any_caller(request: Request, authorization: Annotated[str | None, Header()] = None) -> Caller:
    """Anybody with a valid key."""
    keys: KeyRing = request.app.state.keys
    return keys.authenticate(authorization)


def staff_caller(caller: Annotated[Caller, Depends(any_caller)]) -> Caller:
    """A staff key; channel systems have no business with samples."""
    if caller.role != "staff":
        raise Problem(403, "staff_only", "Only staff may do this", "The key belongs to a channel system.")
    return caller
