"""The notices of a request while a batch of news is applied: new ones are planned, unsent ones taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.notifier.domain import notice as moves
from services.notifier.domain.news import News
from services.notifier.domain.notice import Facts, Key, Notice
from services.notifier.domain.views import RequestView
from services.notifier.domain.words import NoticeKind, Reason
from shared.contracts.clocks import ClockPayload


class NoticeFile:
    """One request's view and notices.

    Attributes:
        view: as of the last news.
        notices: by id; live ones, and the ended ones that a withdrawal may have to speak of.
        planned: ids of the notices that are new.
    """

    def __init__(
        self, view: RequestView, notices: Iterable[Notice], *, now: datetime, new_id: Callable[[], UUID]
    ) -> None:
        self.view = view
        self.notices = {notice.notice_id: notice for notice in notices}
        self.planned: set[UUID] = set()
        self._now = now
        self._new_id = new_id

    def drop(self, notice_id: UUID) -> None:
        """Forget a new notice whose key was taken long ago."""
        self.planned.discard(notice_id)
        del self.notices[notice_id]

    def replace(self, notice: Notice) -> None:
        self.notices[notice.notice_id] = notice

    def _plan(
        self, kind: NoticeKind, cause: str, audiences: Sequence[str], facts: Facts, news: News, cycle: int | None = None
    ) -> None:
        taken = {notice.key for notice in self.notices.values()}
        for audience in audiences:
            key = Key(self.view.request_id, cycle or self.view.cycle, kind, cause, audience)
            if key in taken:
                continue
            notice = Notice(
                notice_id=self._new_id(),
                key=key,
                facts=facts,
                correlation_id=news.correlation_id,
                traceparent=news.traceparent,
                caused_at=news.occurred_at,
                planned_at=self._now,
            )
            self.notices[notice.notice_id] = notice
            self.planned.add(notice.notice_id)

    def _recall(self, kinds: Collection[NoticeKind], reason: Reason, data: ClockPayload | None = None) -> None:
        """Withdraw what nobody can have seen yet, and never repeat what somebody may.

        Args:
            data: says whose clock's; None for all of the request.
        """
        for notice in self._of_clock(kinds, data) if data else self._of(kinds):
            self._take_back(notice, reason)

    def _take_back(self, notice: Notice, reason: Reason) -> None:
        is_unseen = notice.is_recallable
        self.replace(moves.withdraw(notice, reason, self._now) if is_unseen else moves.overtake(notice, self._now))

    def _overtake(self, notices: Iterable[Notice]) -> None:
        """Never repeat those that somebody may have seen. The others leave in their order."""
        for notice in notices:
            if not notice.is_recallable:
                self.replace(moves.overtake(notice, self._now))

    def _of(self, kinds: Collection[NoticeKind]) -> list[Notice]:
        return [notice for notice in self.notices.values() if notice.key.kind in kinds]

    def _of_clock(self, kinds: Collection[NoticeKind], data: ClockPayload) -> list[Notice]:
        prefix = f"{data.clock_id}:{data.cycle}:"
        return [notice for notice in self._of(kinds) if notice.key.cause.startswith(prefix)]
