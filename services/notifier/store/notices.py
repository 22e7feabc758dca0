"""Notices and their attempts, inside one transaction. Lock order: see ``subjects``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.domain.attempts import Answer, Verdict
from services.notifier.domain.notice import Notice
from services.notifier.store.rows import notice_json, notice_of, to_json
from services.notifier.store.statements import STATEMENTS
from shared.contracts.payload import Language
from shared.postgres import Connection, Record


@dataclass(frozen=True, slots=True)
class Locked:
    """A notice whose row this transaction holds.

    Attributes:
        real_now: by Postgres' clock, the one clock of all leases.
        language: of its rendering; None while there is none.
    """

    notice: Notice
    real_now: datetime
    language: Language | None

    @property
    def has_words(self) -> bool:
        return self.language is not None


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt's end, for the append-only record."""

    notice_id: UUID
    attempt: int
    answer: Answer
    verdict: Verdict


class NoticeStore:
    """The tables, inside the transaction of ``connection``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_live_notices(self, request_ids: Collection[UUID], *, with_told: Collection[UUID]) -> list[Locked]:
        """Unended notices of the requests; of ``with_told`` also the breaches and escalations that somebody may have
        read, and what withdrew them.
        """
        rows = await STATEMENTS["lock_notices_of_requests"].fetch(
            self._connection, request_ids=list(request_ids), with_told=list(with_told)
        )
        return [_locked(row) for row in rows]

    async def lock_notices(self, notice_ids: Collection[UUID]) -> dict[UUID, Locked]:
        if not notice_ids:
            return {}
        rows = await STATEMENTS["lock_notices"].fetch(self._connection, notice_ids=list(notice_ids))
        return {row["notice_id"]: _locked(row) for row in rows}

    async def lock_ready_notices(self, count: int, for_staff: int) -> list[Locked]:
        """What may be claimed now and nobody else is claiming; customers go first.

        Args:
            for_staff: how many of ``count`` are kept for staff; where that is all, customers get what staff leave.
        """
        customers = await self._lock_ready("ready_for_customers", count - for_staff)
        staff = await self._lock_ready("ready_for_staff", count - len(customers))
        if for_staff == count:
            customers = await self._lock_ready("ready_for_customers", count - len(staff))
        ids = [*customers, *staff]
        found = await self.lock_notices(ids)
        return [found[notice_id] for notice_id in ids]

    async def _lock_ready(self, statement: str, count: int) -> list[UUID]:
        rows = await STATEMENTS[statement].fetch(self._connection, count=count) if count else []
        return [row["notice_id"] for row in rows]

    async def overdue_notices(self, count: int) -> dict[UUID, UUID]:
        """Notice id -> request id of leases and doubts that ran out; not locked."""
        rows = await STATEMENTS["overdue_notices"].fetch(self._connection, count=count)
        return {row["notice_id"]: row["request_id"] for row in rows}

    async def insert_notices(self, notices: Sequence[Notice]) -> set[UUID]:
        """Take their keys; gives the ids whose key was free."""
        if not notices:
            return set()
        rows = [{"position": position, **notice_json(notice)} for position, notice in enumerate(notices)]
        taken = await STATEMENTS["insert_notices"].fetch(self._connection, notices=to_json(rows))
        return {row["notice_id"] for row in taken}

    async def save_notices(self, notices: Sequence[Notice]) -> None:
        if notices:
            await STATEMENTS["save_notices"].execute(
                self._connection,
                notice_ids=[n.notice_id for n in notices],
                states=[n.state for n in notices],
                reasons=[n.reason for n in notices],
                phases=[n.phase for n in notices],
                attempts=[n.attempt for n in notices],
                failures=[n.failures for n in notices],
                are_resends=[n.is_resend for n in notices],
                remaining=[_joined(n.remaining) for n in notices],
                are_overtaken=[n.is_overtaken for n in notices],
                attend_ats=[n.attend_at for n in notices],
                first_put_off_ats=[n.first_put_off_at for n in notices],
                contact_versions=[n.contact_version for n in notices],
                told_expected_ats=[n.told_expected_at for n in notices],
                ended_ats=[n.ended_at for n in notices],
            )

    async def save_facts(self, notices: Sequence[Notice]) -> None:
        """Write back what notices say, which seldom changes."""
        if notices:
            rows = [notice_json(notice) for notice in notices]
            await STATEMENTS["save_facts"].execute(self._connection, notices=to_json(rows))

    async def insert_attempts(self, attempts: Sequence[Attempted]) -> None:
        if attempts:
            await STATEMENTS["insert_attempts"].execute(
                self._connection,
                notice_ids=[a.notice_id for a in attempts],
                attempts=[a.attempt for a in attempts],
                outcomes=[a.verdict.outcome for a in attempts],
                steps=[a.answer.step.name.lower() for a in attempts],
                reply_codes=[a.answer.code for a in attempts],
                enhanced_codes=[a.answer.enhanced for a in attempts],
            )


def _locked(row: Record) -> Locked:
    language = row["language"]
    return Locked(notice_of(row), row["real_now"], Language(language) if language is not None else None)


def _joined(positions: Sequence[int] | None) -> str | None:
    """As text, because arrays of arrays must be rectangular."""
    return None if positions is None else ",".join(map(str, positions))
