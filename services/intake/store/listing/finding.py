"""Look-up by whatever somebody has at hand: a reference, an external id or its beginning, a customer, a word of a code.

Names and what people wrote are not looked through: they are personal, and a list is no place for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cache
from uuid import UUID

from services.intake.store.listing.pages import MOST_SEEN, Line, Page, only_walk, read_conditions, read_lines
from services.intake.store.listing.walks import Walk, choose_walk, open_only_of
from services.intake.store.listing.wanted import Wanted
from shared.ids import parse_reference
from shared.postgres import Connection
from shared.postgres.statements import Statement, load_blocks, parse_statements

_BLOCKS = load_blocks(__name__)

_COLUMNS = {
    "team": "team IS NOT NULL",
    "stage": "true",
    "process": "true",
    "product_line": "product_line IS NOT NULL",
}
"""Columns of codes with several words, and the predicates of their indexes. A handler's code is taken whole."""

_MOST_CODES = 500  # of a column; there are tens of teams and stages
_MOST_FOUND = 10  # codes or beginnings that are followed: beyond that a word says too little
_BEYOND = "\U0010ffff"


async def find(connection: Connection, wanted: Wanted, text: str, count: int) -> Page:
    """The newest of those that ``text`` may mean, of those wanted; one page, without a next.

    Args:
        connection: as for ``list_page``.
        count: the most lines.
    """
    conditions = await read_conditions(connection, wanted)
    if conditions is None:
        return Page((), None)
    await only_walk(connection)
    ends = {"beyond": text + _BEYOND, "most_found": _MOST_FOUND, "most_seen": MOST_SEEN, "count": count}
    found: dict[UUID, Line] = {}
    async for walk, meant in _walks(connection, wanted, conditions["customer_id"], text):
        parameters = conditions | meant | walk.bounds(wanted, None) | ends
        for line in await read_lines(connection, walk, parameters):
            found.setdefault(line.listed.request_id, line)
    newest = sorted(found.values(), key=lambda line: line.listed.request_id.bytes, reverse=True)
    return Page(newest[:count], None)


async def _walks(
    connection: Connection, wanted: Wanted, customer_id: UUID | None, text: str
) -> AsyncIterator[tuple[Walk, dict[str, str]]]:
    """One for each meaning, and what it adds to the conditions.

    What stands for few requests is gone to straight away; a code may stand for so many that a filter leads to fewer.
    """
    reference = parse_reference(text)
    if reference is not None:
        yield Walk("to_reference", prefix=reference), {}
        return
    yield Walk("along_beginnings", prefix=text), {}
    for row in await _statement("customers").fetch(connection, customer=text):
        yield Walk("along_value", "customer_id", prefix=row["customer_id"]), {}
    yield Walk("along_value", "handler", "handler IS NOT NULL" + open_only_of(wanted), text), {}
    for column, predicate in _COLUMNS.items():
        rows = await _statement("codes", column, predicate).fetch(
            connection, word=text.lower(), most_codes=_MOST_CODES, most_found=_MOST_FOUND
        )
        for row in rows:
            if getattr(wanted, column) in {None, row["code"]}:
                meant = {column: row["code"]}
                yield choose_walk(replace(wanted, **meant), customer_id), meant


@cache
def _statement(name: str, column: str = "", predicate: str = "") -> Statement:
    sql = _BLOCKS[name].format(column=column, predicate=predicate)
    return parse_statements(f"-- name: {name}\n{sql}")[name]
