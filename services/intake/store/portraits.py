"""What of recent requests is compared with new ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.intake.domain.anomalies.likeness import Portrait
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

MOST_CANDIDATES = 8
"""Of one customer and kind, and of one policy. Whoever sent more than eight in two weeks is a business, and repeats are
near in time; comparing takes some 40 microseconds each."""

Candidates = list[tuple[str, Portrait]]
"""Request ids and portraits."""


async def find_candidates(connection: Connection, portraits: Sequence[Portrait], within: timedelta) -> list[Candidates]:
    """For each new request those that it may be a duplicate of, bounded in number; one statement for all.

    Args:
        within: how far apart they may have been submitted.
    """
    rows = await _STATEMENTS["find_candidates"].fetch(
        connection,
        channels=[portrait.channel for portrait in portraits],
        customers=[portrait.customer for portrait in portraits],
        kinds=[portrait.kind for portrait in portraits],
        policies=[portrait.policy_number for portrait in portraits],
        submitted_ats=[portrait.submitted_at for portrait in portraits],
        within=within,
        most=MOST_CANDIDATES,
    )
    found: list[dict[str, Portrait]] = [{} for _ in portraits]
    for row in rows:
        portrait = Portrait(
            channel=row["channel"],
            customer=row["customer"],
            kind=row["kind"],
            product_line=row["product_line"],
            submitted_at=row["submitted_at"],
            external_id=row["external_id"],
            policy_number=row["policy"],
            amount=row["amount"],
            signature=row["signature"],
        )
        found[row["position"] - 1][str(row["request_id"])] = portrait
    return [list(candidates.items()) for candidates in found]


async def forget_portraits(connection: Connection, before: datetime, count: int) -> int:
    """Delete up to ``count`` portraits of requests submitted before an instant; gives how many there were."""
    status = await _STATEMENTS["delete_old_portraits"].execute(connection, before=before, count=count)
    return int(status.rpartition(" ")[2])
