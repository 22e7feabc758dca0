"""Pages of long lists: a cursor, and the address of the next page in a Link header."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response

from shared.http import FieldError, Problem

_LONGEST_NUMBER = 9  # digits of what is surely an integer of Postgres


LINK: dict[str, Any] = {
    "Link": {"schema": {"type": "string"}, "description": '`<...>; rel="next"`, where there may be more'}
}
"""The header of a page, for descriptions."""

PAGED: dict[int | str, dict[str, Any]] = {200: {"headers": LINK}}

NumberAfter = Annotated[
    str | None,
    Query(
        description="Where the page before ended; from its Link header",
        json_schema_extra={"pattern": f"^[0-9]{{1,{_LONGEST_NUMBER}}}$"},
    ),
]


def link_next(request: Request, response: Response, cursor: str) -> None:
    """Tell where the next page is. The address is relative: what the caller calls this host, only it knows.

    The path is quoted anew: a reference may be typed with dashes and letters that no header can carry.
    """
    others = [pair for pair in request.query_params.multi_items() if pair[0] != "after"]
    path, query = quote(request.scope["path"], safe="/:"), urlencode([*others, ("after", cursor)])
    response.headers["Link"] = f'<{path}?{query}>; rel="next"'


def read_number(cursor: str | None) -> int | None:
    """Raises:
    Problem: the cursor is none that was given out.
    """
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal()) or len(cursor) > _LONGEST_NUMBER:
        raise broken_cursor()
    return int(cursor)


def broken_cursor() -> Problem:
    return Problem(
        422,
        "invalid_fields",
        "Some fields are missing or wrong",
        errors=[FieldError(field="query:after", message="is not a cursor of this list; take it from the Link header")],
    )
