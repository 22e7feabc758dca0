"""Look-up by whatever somebody has at hand: a reference, an external id or its beginning, a customer, a word of a code.

Names and what people wrote are not looked through: they are personal, and a list is no place for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cache
from uuid import UUID

from services.intake.store.listing.pages import Line, Page, list_page, only_walk
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
    await only_walk(connection)
    found: dict[UUID, Line] = {}
    async for meant in _meanings(connection, wanted, text):
        for line in (await list_page(connection, meant, None, count)).lines:
            found.setdefault(line.listed.request_id, line)
    newest = sorted(found.values(), key=lambda line: line.listed.request_id.bytes, reverse=True)
    return Page(newest[:count], None)


async def _meanings(connection: Connection, wanted: Wanted, text: str) -> AsyncIterator[Wanted]:
    reference = parse_reference(text)
    if reference is not None:
        yield replace(wanted, reference=reference)
        return
    beginnings = await _statement("beginnings").fetch(
        connection, beginning=text, beyond=text + _BEYOND, visible=wanted.visible, most_found=_MOST_FOUND
    )
    for row in beginnings:
        yield replace(wanted, external_id=row["external_id"])
    for row in await _statement("channels_of_customer").fetch(connection, customer=text):
        if wanted.visible in {None, row["channel"]} and wanted.channel in {None, row["channel"]}:
            yield replace(wanted, customer=text, channel=row["channel"])
    yield replace(wanted, handler=text)
    for column, predicate in _COLUMNS.items():
        rows = await _statement("codes", column, predicate).fetch(
            connection, word=text.lower(), most_codes=_MOST_CODES, most_found=_MOST_FOUND
        )
        for row in rows:
            if getattr(wanted, column) in {None, row["code"]}:
                yield replace(wanted, **{column: row["code"]})


@cache
def _statement(name: str, column: str = "", predicate: str = "") -> Statement:
    sql = _BLOCKS[name].format(column=column, predicate=predicate)
    return parse_statements(f"-- name: {name}\n{sql}")[name]
