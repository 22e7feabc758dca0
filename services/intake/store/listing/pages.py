"""Pages of requests, and how many there are. What either reads is bounded, however many requests are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.store.listing.walks import Walk, choose_walk
from services.intake.store.listing.wanted import Place, Wanted
from services.intake.store.lookups import Listed, read_listed, teams_of
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements("services.intake.store.lookups")

MOST_SEEN = 5_000
"""Index entries that a page comes past, some 20 ms. A value without an index is seldom as rare as one in a hundred."""

MOST_COUNTED = 10_000
MOST_SEEN_COUNTING = 50_000
"""A count reads ten times what a page reads, because it is asked for once and not with every page."""


@dataclass(frozen=True, slots=True)
class Line:
    """A request in the list.

    Attributes:
        due_at: the deadline of the objective asked for; None when no clock of it runs.
        changed_at: when its last change was recorded.
    """

    listed: Listed
    due_at: datetime | None
    changed_at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Page:
    """Attributes:
    next: where the next page begins; None at the end. There may be more although there are few lines, or none: the
        bound on what is read was reached.
    """

    lines: Sequence[Line]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Count:
    """Attributes:
    is_exact: otherwise there are at least so many.
    """

    value: int
    is_exact: bool


async def list_page(
    connection: Connection, wanted: Wanted, after: Place | None, count: int, most_seen: int = MOST_SEEN
) -> Page:
    """
    Args:
        connection: inside a transaction, whose plans may walk along indexes only from here on.
        count: the most lines.
    """
    found = await _begin(connection, wanted)
    if found is None:
        return Page((), None)
    walk, parameters = found
    parameters |= walk.bounds(wanted, after) | {"most_seen": most_seen, "count": count}
    lines = await read_lines(connection, walk, parameters)
    if len(lines) == count:
        return Page(lines, lines[-1].place)
    return Page(lines, await _end(connection, walk, parameters))


async def count_up_to(
    connection: Connection, wanted: Wanted, cap: int = MOST_COUNTED, most_seen: int = MOST_SEEN_COUNTING
) -> Count:
    """Exact up to ``cap``, unless so few are wanted that the bound on what is read comes first."""
    found = await _begin(connection, wanted)
    if found is None:
        return Count(0, is_exact=True)
    walk, parameters = found
    parameters |= walk.bounds(wanted, None) | {"most_seen": most_seen, "count": cap + 1}
    purpose = "count_all" if walk.leads_only_to(wanted) else "count"
    ((value,),) = await _fetch(connection, walk, purpose, parameters)
    if value > cap:
        return Count(cap, is_exact=False)
    return Count(value, is_exact=await _end(connection, walk, parameters) is None)


async def only_walk(connection: Connection) -> None:
    """Have plans walk along indexes until the transaction ends.

    Only while few rows are stored is it cheaper to read all of them, and statistics that are old would say it is.
    """
    await _STATEMENTS["forbid_all_but_walks"].fetchval(connection)


async def read_conditions(connection: Connection, wanted: Wanted) -> dict[str, Any] | None:
    """The parameters that say which of the requests on a walk are wanted; nothing when none can be.

    That is so when the customer is unknown, or when the caller asks for what is others': the walk would lead along it.
    """
    if wanted.is_of_others:
        return None
    customer_id: UUID | None = None
    if wanted.customer is not None:
        customer_id = await _STATEMENTS["find_customer"].fetchval(
            connection, channel=wanted.channel or wanted.visible, external_id=wanted.customer
        )
        if customer_id is None:
            return None
    return _conditions(wanted, customer_id)


async def read_lines(connection: Connection, walk: Walk, parameters: dict[str, Any]) -> list[Line]:
    """
    Args:
        connection: where ``only_walk`` was called.
        parameters: the conditions, the bounds of the walk, ``most_seen`` and ``count``.
    """
    return [
        Line(
            read_listed({name: value for name, value in row.items() if name not in _BESIDES}),
            row["due_at"],
            row["changed_at"],
            Place(row["request_id"], row["at"], row["seen_sequence"]),
        )
        for row in await _fetch(connection, walk, "page", parameters)
    ]


_BESIDES = frozenset({"at", "seen_sequence", "due_at", "changed_at"})


async def _begin(connection: Connection, wanted: Wanted) -> tuple[Walk, dict[str, Any]] | None:
    """The walk and the conditions; nothing when no request can be wanted."""
    conditions = await read_conditions(connection, wanted)
    if conditions is None:
        return None
    await only_walk(connection)
    return choose_walk(wanted, conditions["customer_id"]), conditions


async def _end(connection: Connection, walk: Walk, parameters: dict[str, Any]) -> Place | None:
    rows = await _fetch(connection, walk, "end", parameters)
    return Place(rows[0]["request_id"], rows[0]["at"], rows[0]["sequence"]) if rows else None


async def _fetch(connection: Connection, walk: Walk, purpose: str, parameters: dict[str, Any]) -> list[Any]:
    statement = walk.statement(purpose)
    return await statement.fetch(connection, **{name: parameters[name] for name in statement.parameters})


def _conditions(wanted: Wanted, customer_id: UUID | None) -> dict[str, Any]:
    names = ("visible", "channel", "reference", "external_id", "kind", "state", "is_over", "stage", "team", "handler")
    more = ("market", "priority", "process", "product_line", "submitted_from", "submitted_to", "objective")
    instants = ("due_after", "due_before", "changed_since")
    conditions = {name: getattr(wanted, name) for name in (*names, *more, *instants)}
    conditions["teams"] = teams_of(wanted.visibility)
    return conditions | {"customer_id": customer_id, "is_about_deadline": wanted.is_about_deadline}
