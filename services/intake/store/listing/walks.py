"""Which index a list walks along. Every walk begins at a place, goes one way, and ends after so many entries.

A prefix and the id are compared as one row, so that no other index can serve the order: Postgres would else walk along
the ids and pass over everything that has another prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from services.intake.domain.life import State
from services.intake.store.listing.wanted import Order, Place, Wanted
from shared.postgres.statements import Statement, load_blocks, parse_statements

_TEMPLATES = load_blocks(__name__)

_LOWEST, _HIGHEST = UUID(int=0), UUID(int=2**128 - 1)
_EARLIEST, _LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

EXTERNAL_ID = 'external_id COLLATE "C"'
"""As its index has it."""

_NOT_OVER = "ended_as IS NULL"

_ORDERS = {
    "along_ids": ("request_id",),
    "along_beginnings": ("request_id",),
    "along_value": ("prefix", "request_id"),
    "along_submissions": ("at", "request_id"),
    "along_deadlines": ("at", "request_id"),
    "along_changes": ("at", "request_id", "sequence"),
}
"""What each walk is ordered by, said again outside of it: word for word, else Postgres sorts all that it read."""

_SETTLED = {
    "along_submissions": ("submitted_from", "submitted_to"),
    "along_deadlines": ("due_after", "due_before"),
}
"""Conditions that hold for all that a walk comes past, by its template; below by its column."""

_SETTLED_BY_COLUMN = {
    "handler": "handler",
    "team": "team",
    "stage": "stage",
    "ended_as": "state",
    "product_line": "product_line",
    "process": "process",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """Attributes:
    template: the statement in ``queries.sql`` that reads the index.
    column: of the prefix, or "".
    predicate: of a partial index.
    prefix: what the column has to be.
    is_descending: the way it goes.
    """

    template: str
    column: str = ""
    predicate: str = "true"
    prefix: Any = None
    is_descending: bool = True

    def statement(self, purpose: str) -> Statement:
        """
        Args:
            purpose: ``page``, ``end``, ``count`` or ``count_all``, of ``queries.sql``.
        """
        return _statement(purpose, self.template, self.column, self.predicate, self.is_descending)

    def leads_only_to(self, wanted: Wanted) -> bool:
        """Whether all that it comes past is wanted, so that the index tells how many there are."""
        if self.template == "along_changes":
            return False  # it comes past a request once for each of its changes
        settled = {*_SETTLED.get(self.template, ()), _SETTLED_BY_COLUMN.get(self.column)}
        if _NOT_OVER in self.predicate:
            settled.add("is_over")
        if self.column == "channel" and {wanted.channel, wanted.visible} <= {None, self.prefix}:
            settled |= {"channel", "visibility"} if wanted.visibility.teams is None else {"channel"}
        return wanted.asked <= settled

    def bounds(self, wanted: Wanted, after: Place | None) -> dict[str, Any]:
        """The parameters that only the walk has.

        It begins at the near end of the span that is wanted: Postgres goes in at the place it begins after, and would
        else pass over everything before the span.
        """
        begin, end = _begin(wanted, self.template), _end(wanted, self.template)
        lowest, highest = Place(_LOWEST, begin), Place(_HIGHEST, end, 2**31 - 1)
        start, edge = (highest, lowest) if self.is_descending else (lowest, highest)
        start = after or start
        return {
            "prefix": self.prefix,
            "id": start.request_id,
            "at": start.at,
            "sequence": start.sequence,
            "edge": edge.request_id,
            "from_at": begin,
            "to_at": end,
        }


def choose_walk(wanted: Wanted, customer_id: UUID | None) -> Walk:
    """The walk whose index leads to the fewest requests, as far as one can say without looking.

    Args:
        customer_id: ours, of ``wanted.customer``.
    """
    if wanted.order is Order.DUE:
        return Walk("along_deadlines", prefix=wanted.objective, is_descending=False)
    if wanted.order is Order.CHANGED:
        return Walk("along_changes", is_descending=False)
    is_descending = wanted.order is Order.NEWEST
    if wanted.is_about_submission:
        return Walk("along_submissions", is_descending=is_descending)
    if wanted.reference is not None:
        return Walk("to_reference", prefix=wanted.reference, is_descending=is_descending)
    for column, predicate, prefix in _by_value(wanted, customer_id):
        if prefix is not None:
            return Walk("along_value", column, predicate, prefix, is_descending)
    return Walk("along_ids", predicate=_set_of(wanted), is_descending=is_descending)


def _by_value(wanted: Wanted, customer_id: UUID | None) -> list[tuple[str, str, Any]]:
    """Column, predicate and value, the most telling first. Few are not over, so a channel comes after that."""
    open_only = open_only_of(wanted)
    is_whole = _set_of(wanted) == "true"
    ended_as = wanted.state if wanted.state in {State.CANCELLED, State.MERGED} else None
    return [
        ("customer_id", "true", customer_id),
        (EXTERNAL_ID, "external_id IS NOT NULL", wanted.external_id),
        ("handler", "handler IS NOT NULL" + open_only, wanted.handler),
        ("team", "team IS NOT NULL" + open_only, wanted.team),
        ("stage", "true" + open_only, wanted.stage),
        ("ended_as", "ended_as IS NOT NULL", ended_as),
        ("product_line", "product_line IS NOT NULL", wanted.product_line if is_whole else None),
        ("process", "true", wanted.process if is_whole else None),
        ("channel", "true", (wanted.channel or wanted.visible) if is_whole else None),
        ("ended_as", "ended_as IS NOT NULL", wanted.state if wanted.state is State.CLOSED else None),
    ]


def open_only_of(wanted: Wanted) -> str:
    """What is added to a predicate where the index of what is not over serves."""
    return f" AND {_NOT_OVER}" if wanted.is_not_over else ""


def _set_of(wanted: Wanted) -> str:
    """The predicate of the smallest set of requests that holds all those wanted."""
    if wanted.state is State.PAUSED:
        return "pause_reasons <> '{}'"
    return _NOT_OVER if wanted.is_not_over else "true"


def _begin(wanted: Wanted, template: str) -> datetime:
    begins = {
        "along_deadlines": wanted.due_after,
        "along_submissions": wanted.submitted_from,
        "along_changes": wanted.changed_since,
    }
    return begins.get(template) or _EARLIEST


def _end(wanted: Wanted, template: str) -> datetime:
    ends = {"along_deadlines": wanted.due_before, "along_submissions": wanted.submitted_to}
    return ends.get(template) or _LATEST


@cache
def _statement(purpose: str, template: str, column: str, predicate: str, is_descending: bool) -> Statement:
    """Put together of texts of this package alone; what callers send travels as parameters."""
    direction, beyond, before = ("DESC", "<", ">") if is_descending else ("ASC", ">", "<")
    is_current = "request.version = seen.sequence" if template == "along_changes" else "true"
    matching = _TEMPLATES["matching"].format(is_current=is_current)
    walk = _TEMPLATES[template].format(
        column=column,
        predicate=predicate,
        direction=direction,
        beyond=beyond,
        before=before,
        type="uuid" if column == "customer_id" else "text",
        matching=matching,
    )
    order = ", ".join(f"seen.{name} {direction}" for name in _ORDERS.get(template, ()))
    sql = _TEMPLATES[purpose].format(walk=walk, matching=matching, order=f"ORDER BY {order}" if order else "")
    return parse_statements(f"-- name: {purpose}\n{sql}")[purpose]
