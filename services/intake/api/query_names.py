"""Refuses names of a query that nothing reads: a misspelt filter would show everything, and nobody would notice."""

from __future__ import annotations

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params

from shared.http import FieldError, Problem

NO_PARAMETER = "is no parameter of this call"
"""What is said of a name that nothing reads."""

_ELSEWHERE = (params.Path, params.Header, params.Cookie)
"""Where else parameters stand. Fields of a model that describes a query are none of these, and not marked either."""


async def refuse_unknown_names(request: Request) -> None:
    """Stands behind the guard, before every route of the API that is looked up or reads a query, and before
    bodies. Customers' links are none: whatever brings people there adds names of its own.

    Raises:
        Problem: 422, names each.
    """
    route = request.scope["route"]
    if not request.query_params or not route.path.startswith("/v1/"):
        return
    read = get_flat_params(route.dependant)
    known = {each.alias for each in read if not isinstance(each.field_info, _ELSEWHERE)}
    unknown = dict.fromkeys(name for name in request.query_params if name not in known)
    if unknown and (known or request.method == "GET"):
        errors = [FieldError(field=f"query:{name}", message=NO_PARAMETER) for name in unknown]
        raise Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=errors)
