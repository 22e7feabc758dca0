"""Writes down what attempts do. Markers and outcomes of parallel connections share one transaction (a group commit).

Postgres being away does not lose an outcome: it waits here and is repeated. Dying with it unwritten leaves the notice
``transmitting``, which is what in-doubt is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from prometheus_client import Counter, Histogram

from services.notifier.domain import notice as moves
from services.notifier.domain.attempts import Answer, RetryPolicy, conclude, judge
from services.notifier.domain.notice import Notice
from services.notifier.domain.views import RequestView
from services.notifier.domain.words import NoticeKind, NoticeState, Reason
from services.notifier.handlers.claiming import Claim
from services.notifier.handlers.saying import count_moves, say
from services.notifier.store.notices import Attempted, NoticeStore
from services.notifier.store.subjects import SubjectStore
from shared.clock import Clock
from shared.contracts.topics import NOTICES
from shared.errors import Retryable
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

ATTEMPTS = Counter("punctual_notifier_attempts_total", "Attempts by how they ended.", ["outcome", "step"])
REFUSED_STEPS = Counter(
    "punctual_notifier_refused_steps_total", "Steps of attempts whose notice was taken back or claimed again meanwhile."
)
REQUEST_TO_MAIL = Histogram(
    "punctual_notifier_request_to_mail_seconds",
    "Real time from the accepted request to the relay's 250 for its confirmation.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)

_REPEAT_SECONDS = 0.25


class _Step(Enum):
    BEGIN = auto()
    RELEASE = auto()
    CONCLUDE = auto()


@dataclass(eq=False, slots=True)
class _Entry:
    """Attributes:
    done: for a beginning its permission, else whether it still counted.
    """

    step: _Step
    claim: Claim
    answer: Answer | None = None
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True, slots=True)
class _Written:
    """What a transaction did; measured once it has committed."""

    results: list[bool]
    before: dict[UUID, Notice]
    changed: list[Notice]
    views: dict[UUID, RequestView]
    now: datetime


class Journal:
    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        policy: RetryPolicy,
        body_lease: timedelta,
    ) -> None:
        """Args:
        body_lease: real time from the marker to the answer's commit; longer than the relay may take to reply.
        """
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._policy = policy
        self._body_lease = body_lease
        self._waiting: list[_Entry] = []
        self._news = asyncio.Event()

    async def begin(self, claim: Claim) -> bool:
        """Commit that the body begins; False when the notice was taken back or claimed again."""
        return await self._write(_Entry(_Step.BEGIN, claim))

    async def release(self, claim: Claim) -> bool:
        """Give a claim back that was not used."""
        return await self._write(_Entry(_Step.RELEASE, claim))

    async def conclude(self, claim: Claim, answer: Answer) -> bool:
        """Commit how the attempt ended; False when a newer attempt has taken its place."""
        return await self._write(_Entry(_Step.CONCLUDE, claim, answer))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            batch, self._waiting = [entry for entry in self._waiting if not entry.done.cancelled()], []
            if batch:
                await self._write_batch(batch)

    async def _write(self, entry: _Entry) -> bool:
        self._waiting.append(entry)
        self._news.set()
        return await entry.done

    async def _write_batch(self, batch: Sequence[_Entry]) -> None:
        while True:
            try:
                async with self._database.transaction() as connection:
                    written = await self._transact(connection, batch)
            except Retryable as error:
                _log.warning("attempts not written yet, will repeat", count=len(batch), error=str(error))
                await asyncio.sleep(_REPEAT_SECONDS)
            else:
                break
        self._measure(batch, written)
        for entry, result in zip(batch, written.results, strict=True):
            if not entry.done.cancelled():
                entry.done.set_result(result)

    async def _transact(self, connection: Connection, batch: Sequence[_Entry]) -> _Written:
        subjects, store = SubjectStore(connection), NoticeStore(connection)
        concluding = [entry for entry in batch if entry.step is not _Step.BEGIN]
        former = (await subjects.lock_requests({entry.claim.request_id for entry in concluding})).views
        found = await store.lock_notices({entry.claim.notice_id for entry in batch})
        before = {notice_id: locked.notice for notice_id, locked in found.items()}
        notices, results, now = dict(before), [], self._clock.now()
        for entry in batch:
            locked = found[entry.claim.notice_id]
            notice = notices[entry.claim.notice_id]
            after = self._apply(entry, notice, locked.real_now, now)
            if after is not None and after.state is NoticeState.READY and not locked.has_words:
                after = moves.failed(notice, Reason.ERASED, now)  # the customer was erased while the relay talked
            notices[notice.notice_id] = after or notice
            results.append(after is not None)
        changed = [notice for notice_id, notice in notices.items() if notice != before[notice_id]]
        views = dict(former)
        languages = {entry.claim.notice_id: entry.claim.rendering.language for entry in batch}
        events = say(views, [notice for notice in changed if not notice.is_live], languages, now)
        await store.save_notices(changed)
        await subjects.save_requests([view for request_id, view in views.items() if view != former[request_id]])
        await store.insert_attempts(
            [Attempted(e.claim.notice_id, e.claim.attempt, e.answer, judge(e.answer)) for e in batch if e.answer]
        )
        await self._outbox.append(connection, NOTICES, events)
        return _Written(results, before, changed, views, now)

    def _apply(self, entry: _Entry, notice: Notice, real_now: datetime, now: datetime) -> Notice | None:
        """The notice after this entry; None when the attempt does not count any more."""
        if entry.step is _Step.BEGIN:
            return moves.begin(notice, entry.claim.attempt, real_now, self._body_lease)
        if not moves.accepts_outcome(notice, entry.claim.attempt):
            return None
        if entry.answer is None:
            return moves.put_back(notice, real_now)
        return conclude(notice, judge(entry.answer), real_now, now, self._policy)

    def _measure(self, batch: Sequence[_Entry], written: _Written) -> None:
        count_moves(written.before, written.changed)
        for notice in written.changed:
            submission = written.views[notice.key.request_id].submission if not notice.is_live else None
            if submission and notice.key.kind is NoticeKind.RECEIVED and notice.state is NoticeState.SENT:
                waited = (written.now - submission.recorded_at).total_seconds() / self._clock.speed
                REQUEST_TO_MAIL.observe(max(0.0, waited))
        for entry, result in zip(batch, written.results, strict=True):
            if not result:
                REFUSED_STEPS.inc()
            if entry.answer is not None:
                ATTEMPTS.labels(judge(entry.answer).outcome, entry.answer.step.name.lower()).inc()
