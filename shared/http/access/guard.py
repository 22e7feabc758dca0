"""Stands before every route of an application, and before the bodies of calls, and lets those through whom the matrix
admits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPBearer

from shared.http.access.identity import Identification
from shared.http.access.matrix import Admission, Matrix
from shared.http.access.principal import Principal
from shared.http.problems import Problem

_INSUFFICIENT = {"WWW-Authenticate": 'Bearer realm="punctual", error="insufficient_scope"'}

BeforeBody = Callable[[Request], Awaitable[None]]
"""Asked of a call that the guard let through, before its body is read; raises what the call is refused with."""

CREDENTIALS = Security(HTTPBearer(auto_error=False, description="An access token of the house's issuer, or an API key"))
"""Stands at every route for the sake of the description of the API. It refuses nobody."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who somebody is, and what he may."""

    identification: Identification
    matrix: Matrix

    def check_routes(self, app: FastAPI) -> None:
        """Call it when all routes are there.

        Raises:
            ConfigurationError: the matrix and the application do not have the same routes.
        """
        guarded, unguarded = routes_of(app)
        self.matrix.check(guarded, unguarded)


class GuardedRoute(APIRoute):
    """Asks who calls before it reads what was sent. The framework resolves dependencies when it has read and parsed the
    body: a guard among them would let anybody have a megabyte parsed, and hear 400 for broken ones instead of 401.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await _enforce(request)
            for ask in cast(Sequence[BeforeBody], request.app.state.before_body):
                await ask(request)
            return await answer(request)

        return guarded


async def _enforce(request: Request) -> None:
    """Raises Problem: 401, 403, or 503 while nobody can be recognised."""
    if hasattr(request.state, "principal"):  # let in already by what stands before the routing
        return
    access = cast(Access, request.app.state.access)
    route = f"{request.method} {request.scope['route'].path}"
    principal = await admit(access, route, request.headers.get("authorization"))
    if principal is not None:
        request.state.principal = principal


async def admit(access: Access, route: str, authorization: str | None) -> Principal | None:
    """Who calls, let through; None where the route is open to anybody.

    Args:
        route: ``METHOD /path``.
        authorization: the header.

    Raises:
        Problem: 401, 403, or 503 while nobody can be recognised.
    """
    admission = access.matrix.routes.get(route)
    if admission is not None and admission.is_open:
        return None
    principal = await access.identification.identify(authorization)
    if admission is None or not admission.admits(principal):
        raise _forbidden(route, admission, principal)
    if not admission.is_in_scope(principal):
        raise _out_of_scope(route, admission, principal)
    return principal


def _forbidden(route: str, admission: Admission | None, principal: Principal) -> Problem:
    needed = admission.described() if admission is not None else "nobody"
    has = ", ".join(sorted(principal.roles)) or ("channel" if principal.kind == "channel" else "no role")
    return Problem(
        403,
        "role_required",
        "This may be done by others only",
        f"{route} is for: {needed}. {principal.name} has: {has}.",
        headers=_INSUFFICIENT,
    )


def _out_of_scope(route: str, admission: Admission, principal: Principal) -> Problem:
    scopes = principal.terms.scopes if principal.terms is not None else None
    return Problem(
        403,
        "scope_required",
        "This key is not for that",
        f"{route} needs the scope {admission.scope or 'of no key'}. The key has: {', '.join(sorted(scopes or ()))}.",
        headers=_INSUFFICIENT,
    )


async def _principal(request: Request) -> Principal:
    return cast(Principal, request.state.principal)


PrincipalOf = Annotated[Principal, Depends(_principal)]
"""Who calls an endpoint; routes that are open to anybody have nobody."""


def routes_of(app: FastAPI) -> tuple[set[str], set[str]]:
    """``METHOD /path`` of the routes that the guard stands before, and of all others."""
    guarded: set[str] = set()
    unguarded: set[str] = set()
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        methods = {"GET" if method == "HEAD" else method for method in getattr(route, "methods", None) or {"GET"}}
        found = guarded if isinstance(route, GuardedRoute) else unguarded
        found.update(f"{method} {context.path}" for method in methods)
    return guarded, unguarded
