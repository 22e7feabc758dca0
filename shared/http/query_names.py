"""Refuses a name of a query that stands twice: the last value would count, and nobody would notice.

No call takes several values of one name.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params

from shared.http.problems import FieldError, Problem, few_errors, field_error

REPEATED = "stands more than once; one value is taken"

_ELSEWHERE = (params.Path, params.Header, params.Cookie)
"""Where else parameters stand. Fields of a model that describes a query are none of these, and not marked either."""


def names_read(request: Request) -> set[str]:
    """The names of a query that the route of this call reads."""
    read = get_flat_params(request.scope["route"].dependant)
    return {each.alias for each in read if not isinstance(each.field_info, _ELSEWHERE)}


async def refuse_repeated_names(request: Request) -> None:
    """Stands behind the guard, before every route.

    Raises:
        Problem: 422, names each.
    """
    if not request.query_params:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) == len(request.query_params):
        return
    known = names_read(request)
    repeated = dict.fromkeys(name for name in request.query_params if name in known and names.count(name) > 1)
    if repeated:
        raise names_problem(repeated, REPEATED)


def names_problem(names: Iterable[str], message: str) -> Problem:
    """What is told of names that the query must not have, or not so."""
    errors = few_errors(list(names), lambda name: _wrong(name, message), "query")
    return Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=errors)


def _wrong(name: str, message: str) -> FieldError:
    return field_error({"loc": ("query", name), "msg": message})
