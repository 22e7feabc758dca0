"""The cursor of the list of requests: the id of the last one, or an opaque text where the order goes by an instant.

It is sealed where the page ended on a request that is not among its lines.
"""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from services.intake.api.bodies import read_instant
from services.intake.api.paging import broken_cursor
from services.intake.api.sealing import CursorSeal
from services.intake.store.listing.pages import Page
from services.intake.store.listing.wanted import Order, Place, Wanted

_PARTS = 3


def goes_by_instant(wanted: Wanted) -> bool:
    return wanted.order in {Order.DUE, Order.CHANGED} or wanted.is_about_submission


def write_place(place: Place, wanted: Wanted) -> str:
    if place.at is None or not goes_by_instant(wanted):
        return str(place.request_id)
    text = f"{place.at.isoformat()} {place.request_id} {place.sequence}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def write_next(page: Page, wanted: Wanted, seal: CursorSeal) -> str | None:
    """Where the next page begins, in a form that tells the caller of no request beyond the lines."""
    if page.next is None:
        return None
    cursor = write_place(page.next, wanted)
    is_shown = bool(page.lines) and page.lines[-1].place == page.next
    return cursor if is_shown else seal.close(cursor)


def read_place(cursor: str | None, wanted: Wanted, seal: CursorSeal) -> Place | None:
    """
    Raises:
        Problem: the cursor is none that was given out for a list in this order.
    """
    if cursor is None:
        return None
    try:
        cursor = seal.open(cursor)
        if not goes_by_instant(wanted):
            return Place(UUID(cursor))
        parts = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        if len(parts) != _PARTS:
            raise broken_cursor()
        at, request_id, sequence = parts
        return Place(UUID(request_id), read_instant(at), _small(int(sequence)))
    except (binascii.Error, ValueError):
        raise broken_cursor() from None


def _small(number: int) -> int:
    if not 0 <= number < 2**31:
        raise ValueError("no integer of Postgres")
    return number
