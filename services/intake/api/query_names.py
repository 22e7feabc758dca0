"""Refuses names of a query that nothing reads: a misspelt filter would show everything, and nobody would notice."""

from __future__ import annotations

from fastapi import Request

from shared.http.query_names import names_problem, names_read, refuse_repeated_names

NO_PARAMETER = "is no parameter of this call"
"""What is said of a name that nothing reads."""


async def refuse_unknown_names(request: Request) -> None:
    """Stands behind the guard, before every route of the API that is looked up or reads a query, and before bodies.
    What stands twice is refused, too. Customers' links are none: whatever brings people there adds names of its own.

    Raises:
        Problem: 422, names each.
    """
    if not request.query_params or not request.scope["route"].path.startswith("/v1/"):
        return
    known = names_read(request)
    unknown = dict.fromkeys(name for name in request.query_params if name not in known)
    if unknown and (known or request.method == "GET"):
        raise names_problem(unknown, NO_PARAMETER)
    await refuse_repeated_names(request)
