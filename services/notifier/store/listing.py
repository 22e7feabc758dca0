"""What the HTTP API shows; nothing personal."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.notifier.domain.words import NoticeState
from services.notifier.store.statements import STATEMENTS
from shared.postgres import Database, Record


class NoticeListing:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def notices(
        self, *, request_id: UUID | None, reference: str | None, state: NoticeState | None, count: int
    ) -> Sequence[Record]:
        """Newest first."""
        async with self._database.connection() as connection:
            return await STATEMENTS["list_notices"].fetch(
                connection, request_id=request_id, reference=reference, state=state, count=count
            )

    async def count_by_state(self) -> dict[NoticeState, int]:
        async with self._database.connection() as connection:
            rows = await STATEMENTS["count_by_state"].fetch(connection)
        return dict.fromkeys(NoticeState, 0) | {NoticeState(row["state"]): row["count"] for row in rows}

    async def count_live(self) -> dict[NoticeState, int]:
        async with self._database.connection() as connection:
            rows = await STATEMENTS["count_live"].fetch(connection)
        return {NoticeState(row["state"]): row["count"] for row in rows}
