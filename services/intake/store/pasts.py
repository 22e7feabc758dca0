"""The pasts of watched numbers, added up over all processes."""

from __future__ import annotations

import json

from services.intake.domain.anomalies.plausibility import Counts
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


async def add_values(connection: Connection, news: Counts) -> None:
    """Add to what is stored."""
    rows = [
        (attribute, json.dumps(group), at, count)
        for (attribute, group), fallen in news.items()
        for at, count in fallen.items()
    ]
    if rows:
        attributes, grouped, ranges, counts = (list(column) for column in zip(*rows, strict=True))
        await _STATEMENTS["add_values"].execute(
            connection, attributes=attributes, grouped=grouped, ranges=ranges, counts=counts
        )


async def read_values(connection: Connection) -> Counts:
    """All that is stored."""
    return {
        (row["attribute"], tuple(json.loads(row["grouped"]))): dict(zip(row["ranges"], row["counts"], strict=True))
        for row in await _STATEMENTS["select_values"].fetch(connection)
    }
