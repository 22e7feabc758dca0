"""Who may send what, for how long; and what becomes of leases and doubts that ran out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from services.notifier.domain import notice as moves
from services.notifier.domain.attempts import RetryPolicy, attend
from services.notifier.domain.notice import Notice
from services.notifier.domain.turns import kept_for_staff
from services.notifier.domain.words import NoticeKind, Reason
from services.notifier.handlers.saying import count_moves, say
from services.notifier.store.notices import Locked, NoticeStore
from services.notifier.store.personal import PersonalStore, Rendering
from services.notifier.store.subjects import SubjectStore
from shared.clock import Clock, monotonic
from shared.contracts.topics import NOTICES
from shared.encryption import MasterKeys
from shared.outbox import Outbox
from shared.postgres import Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_UNTIL_READABLE = timedelta(minutes=1)  # then it is looked whether the master key has come
_SWEEP = 200  # rows of one sweep's transaction; what is left waits for the next


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt.

    Attributes:
        recipients: whom it is for; of a mail that some have, those who are left.
        claimed_at: monotonic.
    """

    notice_id: UUID
    request_id: UUID
    attempt: int
    kind: NoticeKind
    correlation_id: str
    rendering: Rendering
    recipients: Sequence[str] = field(repr=False)
    claimed_at: float


class Claiming:
    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        master_keys: MasterKeys,
        clock: Clock,
        policy: RetryPolicy,
        lease: timedelta,
    ) -> None:
        """Args:
        master_keys: decrypt our keys of customers.
        lease: real time from the claim to the beginning of the body.
        """
        self._database = database
        self._outbox = outbox
        self._master_keys = master_keys
        self._clock = clock
        self._policy = policy
        self._lease = lease
        self._turn = 0

    async def claim(self, count: int) -> list[Claim]:
        """Take up to ``count`` ready notices.

        Raises:
            DatabaseUnavailable: nothing is claimed, or its lease will run out unused.
        """
        async with self._database.transaction() as connection:
            store = NoticeStore(connection)
            ready = await store.lock_ready_notices(count, kept_for_staff(count, self._turn))
            if not ready:
                return []
            self._turn += 1
            personal = PersonalStore(connection, self._master_keys)
            renderings, damaged = await personal.readable_renderings(locked.notice.notice_id for locked in ready)
            unreadable = [n for n in ready if n.has_words and n.notice.notice_id not in renderings]
            waiting = [_wait(n, is_damaged=n.notice.notice_id in damaged) for n in unreadable]
            claimed = [moves.claim(n.notice, n.real_now, self._lease) for n in ready if n not in unreadable]
            await store.save_notices([*claimed, *waiting])
        count_moves({n.notice.notice_id: n.notice for n in unreadable}, waiting)
        if waiting:
            _log.warning("mails wait, they cannot be decrypted here", count=len(waiting), damaged=len(damaged))
        claimed_at = monotonic()
        return [_claim(n, renderings[n.notice_id], claimed_at) for n in claimed if _has_words(n, renderings)]

    async def attend(self) -> int:
        """Look after leases and doubts that ran out; gives how many were found."""
        async with self._database.transaction() as connection:
            subjects, store = SubjectStore(connection), NoticeStore(connection)
            overdue = await store.overdue_notices(_SWEEP)
            if not overdue:
                return 0
            former = (await subjects.lock_requests(set(overdue.values()))).views
            found = await store.lock_notices(overdue)
            before = {notice_id: locked.notice for notice_id, locked in found.items()}
            now = self._clock.now()
            attended = [
                attend(locked.notice, locked.real_now, now, self._policy, has_bytes=locked.has_words)
                for locked in found.values()
            ]
            after = [notice for notice in attended if notice != before[notice.notice_id]]
            views = dict(former)
            languages = {notice_id: locked.language for notice_id, locked in found.items() if locked.language}
            events = say(views, [notice for notice in after if not notice.is_live], languages, now)
            await store.save_notices(after)
            await subjects.save_requests([view for request_id, view in views.items() if view != former[request_id]])
            await self._outbox.append(connection, NOTICES, events)
        count_moves(before, after)
        for notice in after:
            _log.warning(
                "attempt was never concluded",
                notice_id=str(notice.notice_id),
                attempt=notice.attempt,
                state=notice.state,
                correlation_id=notice.correlation_id,
            )
        return len(after)


def _wait(unreadable: Locked, *, is_damaged: bool) -> Notice:
    """For the master key; or for the next event on the request or the customer, which writes a damaged mail anew.

    A repeat, whose bytes must be the same, is in doubt again: that doubt is its second, and ends it.
    """
    notice = unreadable.notice
    if is_damaged and notice.is_recallable:
        return moves.hold(notice, Reason.WAITING_CONTACT)
    if is_damaged:
        return moves.doubt(notice, unreadable.real_now)
    return moves.postpone(notice, unreadable.real_now + _UNTIL_READABLE)


def _claim(notice: Notice, rendering: Rendering, claimed_at: float) -> Claim:
    return Claim(
        notice_id=notice.notice_id,
        request_id=notice.key.request_id,
        attempt=notice.attempt,
        kind=notice.key.kind,
        correlation_id=notice.correlation_id,
        rendering=rendering,
        recipients=_recipients(notice, rendering),
        claimed_at=claimed_at,
    )


def _recipients(notice: Notice, rendering: Rendering) -> Sequence[str]:
    if notice.remaining is None:
        return rendering.recipients
    return [rendering.recipients[at] for at in notice.remaining]


def _has_words(notice: Notice, renderings: Mapping[UUID, Rendering]) -> bool:
    if notice.notice_id in renderings:
        return True
    _log.error("a ready notice has no words", notice_id=str(notice.notice_id), correlation_id=notice.correlation_id)
    return False
