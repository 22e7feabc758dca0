"""Pages of long lists: an opaque cursor, and the address of the next page in a Link header."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from fastapi import Request, Response

from services.sla_timer.store.reports import Place
from shared.http import FieldError, Problem


def link_next(request: Request, response: Response, cursor: str) -> None:
    """Tell where the next page is. The address is relative: what the caller calls this host, only it knows."""
    url = request.url.include_query_params(after=cursor)
    response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def write_place(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place.due_at.isoformat()} {place.clock_id}".encode()).decode().rstrip("=")


def read_place(cursor: str | None) -> Place | None:
    """Raises:
    Problem: the cursor is none that was given out.
    """
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        due_at, _, clock_id = text.partition(" ")
        return Place(_aware(datetime.fromisoformat(due_at)), UUID(clock_id))
    except (binascii.Error, ValueError, OverflowError):
        raise broken_cursor() from None


def read_number(cursor: str | None) -> int | None:
    """Raises:
    Problem: the cursor is none that was given out.
    """
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 9:  # noqa: PLR2004  an integer of Postgres
        raise broken_cursor()
    return int(cursor)


def broken_cursor() -> Problem:
    return Problem(
        422,
        "invalid_fields",
        "Some fields are missing or wrong",
        errors=[FieldError(field="query:after", message="is not a cursor of this list; take it from the Link header")],
    )


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant without an offset")
    return instant.astimezone(UTC)
