"""Requests, inside one transaction.

Lock order everywhere: contacts, requests, notices, each by id.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.domain.views import RequestView
from services.notifier.store.rows import to_json, view_json, view_of
from services.notifier.store.statements import STATEMENTS
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class LockedRequests:
    """Attributes:
    real_now: by Postgres' clock when the last row was locked; None when there was none.
    """

    views: dict[UUID, RequestView]
    real_now: datetime | None


class SubjectStore:
    """What others say about requests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def customers_of(self, request_ids: Collection[UUID]) -> set[UUID]:
        if not request_ids:
            return set()
        rows = await STATEMENTS["customers_of_requests"].fetch(self._connection, request_ids=list(request_ids))
        return {row["customer_id"] for row in rows}

    async def requests_to_tell(self, customer_ids: Collection[UUID]) -> set[UUID]:
        """Requests of these customers with unended notices."""
        if not customer_ids:
            return set()
        rows = await STATEMENTS["requests_with_live_notices"].fetch(self._connection, customer_ids=list(customer_ids))
        return {row["request_id"] for row in rows}

    async def ensure_requests(self, request_ids: Collection[UUID]) -> None:
        if request_ids:
            await STATEMENTS["ensure_requests"].execute(self._connection, request_ids=sorted(request_ids))

    async def lock_requests(self, request_ids: Collection[UUID]) -> LockedRequests:
        if not request_ids:
            return LockedRequests({}, None)
        rows = await STATEMENTS["lock_requests"].fetch(self._connection, request_ids=list(request_ids))
        return LockedRequests(
            {row["request_id"]: view_of(row) for row in rows}, max((row["real_now"] for row in rows), default=None)
        )

    async def save_requests(self, views: Sequence[RequestView]) -> None:
        if views:
            rows = [view_json(view) for view in views]
            await STATEMENTS["save_requests"].execute(self._connection, views=to_json(rows))
