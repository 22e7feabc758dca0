"""A request with its live notices: hears news and decides which notices there shall be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import singledispatchmethod
from uuid import UUID

from services.notifier.domain import notice as moves
from services.notifier.domain.news import News
from services.notifier.domain.notice import Facts, Key, Notice
from services.notifier.domain.views import RequestView, Submission
from services.notifier.domain.words import CUSTOMER, EXPECTED_TIME_OBJECTIVE, NoticeKind, Reason, role_audience
from shared.contracts import casework, clocks, requests
from shared.contracts.payload import Payload

_WithDeadline = clocks.ClockWarned | clocks.ClockBreached | clocks.ClockBreachWithdrawn | clocks.ClockEscalated


class RequestFile:
    """One request's view and notices while a batch of news is applied.

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

    def hear(self, news: News) -> None:
        """Apply one event. Types that change nothing here are passed over."""
        self._apply(news.data, news)

    def drop(self, notice_id: UUID) -> None:
        """Forget a new notice whose key was taken long ago."""
        self.planned.discard(notice_id)
        del self.notices[notice_id]

    def replace(self, notice: Notice) -> None:
        self.notices[notice.notice_id] = notice

    @singledispatchmethod
    def _apply(self, data: Payload, news: News) -> None:
        pass

    # What requests say

    @_apply.register
    def _submitted(self, data: requests.RequestSubmitted, news: News) -> None:
        submission = Submission(
            reference=data.reference,
            kind=data.kind,
            language=data.language,
            market=data.market,
            customer_id=data.customer_id,
            status_path=data.status_path,
            correlation_id=news.correlation_id,
            submitted_at=news.occurred_at,
            recorded_at=news.recorded_at,
        )
        self.view = replace(self.view, submission=submission, stage=data.stage)
        self._plan(NoticeKind.RECEIVED, "submission", [CUSTOMER], Facts(), news)

    @_apply.register
    def _stage_entered(self, data: requests.RequestStageEntered, _: News) -> None:
        self._recall({NoticeKind.REMINDER}, Reason.WAIT_ENDED)
        self.view = replace(self.view, stage=data.stage)

    @_apply.register
    def _reminded(self, data: casework.RequestReminded, news: News) -> None:
        """A newer reminder of a rule takes the place of those that did not go."""
        if self.view.is_closed:
            return  # from a dead letter: nobody waits any more
        of_rule = f"{data.rule}:{data.stage_entry}:"
        for notice in list(self.notices.values()):
            is_older = notice.key.cause.startswith(of_rule) and (notice.facts.level or 0) < data.number
            if notice.key.kind is NoticeKind.REMINDER and is_older and notice.is_recallable:
                self.replace(moves.withdraw(notice, Reason.SUPERSEDED, self._now))
        facts = Facts(stage=data.stage, level=data.number, entered_at=data.entered_at)
        audiences = [role_audience(role) for role in data.notify_roles]
        self._plan(NoticeKind.REMINDER, f"{of_rule}{data.number}", audiences, facts, news)

    @_apply.register
    def _paused(self, data: requests.RequestPaused, news: News) -> None:
        self._recall({NoticeKind.REMINDER}, Reason.WAIT_ENDED)
        self.view = replace(self.view, pause_reasons=self.view.pause_reasons | {data.reason})
        if data.documents and not self.view.is_closed:
            # Two may be asked for at one instant: not every source has seconds.
            cause = f"{_asking(data.reason)}{news.occurred_at:%Y%m%dT%H%M%S.%fZ}:{news.sequence}"
            self._plan(NoticeKind.DOCUMENTS_NEEDED, cause, [CUSTOMER], Facts(documents=data.documents), news)

    @_apply.register
    def _resumed(self, data: requests.RequestResumed, _: News) -> None:
        self.view = replace(self.view, pause_reasons=self.view.pause_reasons - {data.reason})
        for notice in list(self.notices.values()):
            is_asking = notice.key.kind is NoticeKind.DOCUMENTS_NEEDED
            if is_asking and notice.key.cause.startswith(_asking(data.reason)) and notice.is_recallable:
                self.replace(moves.withdraw(notice, Reason.WAIT_ENDED, self._now))

    @_apply.register
    def _closed(self, data: requests.RequestClosed, news: News) -> None:
        self._end(data.outcome, NoticeKind.CLOSED, "closing", news)

    @_apply.register
    def _request_cancelled(self, _: requests.RequestCancelled, news: News) -> None:
        self._end("cancelled", NoticeKind.CANCELLED, "cancelling", news)

    @_apply.register
    def _merged(self, _: requests.RequestMerged, news: News) -> None:
        self._end("merged", NoticeKind.MERGED, "merging", news)

    @_apply.register
    def _reopened(self, _: requests.RequestReopened, news: News) -> None:
        self.view = replace(self.view, outcome=None, cycle=self.view.cycle + 1)
        self._plan(NoticeKind.REOPENED, "reopening", [CUSTOMER], Facts(), news)

    # What clocks say

    @_apply.register
    def _started(self, data: clocks.ClockStarted, news: News) -> None:
        self._expect(data, data.due_at, news)

    @_apply.register
    def _moved(self, data: clocks.ClockResumed | clocks.ClockRetargeted, news: News) -> None:
        self._recall({NoticeKind.WARNING}, Reason.DEADLINE_MOVED, data)
        self._expect(data, data.due_at, news)

    @_apply.register
    def _warned(self, data: clocks.ClockWarned, news: News) -> None:
        self._tell_roles(NoticeKind.WARNING, data, data.notify_roles, data.level, news)

    @_apply.register
    def _breached(self, data: clocks.ClockBreached, news: News) -> None:
        self._tell_roles(NoticeKind.BREACH, data, data.notify_roles, 0, news)

    @_apply.register
    def _escalated(self, data: clocks.ClockEscalated, news: News) -> None:
        self._tell_roles(NoticeKind.ESCALATION, data, data.notify_roles, data.level, news)

    @_apply.register
    def _breach_withdrawn(self, data: clocks.ClockBreachWithdrawn, news: News) -> None:
        kinds = {NoticeKind.BREACH, NoticeKind.ESCALATION}
        self._recall(kinds, Reason.BREACH_WITHDRAWN, data)
        told = sorted({n.key.audience for n in self._of_clock(kinds, data) if n.was_perhaps_seen})
        facts = Facts(objective=data.objective, due_at=data.due_at, stopped_at=data.stopped_at)
        self._plan(NoticeKind.BREACH_WITHDRAWN, _cause(data, "breach_withdrawn", 0, news), told, facts, news, data.cycle)

    @_apply.register
    def _stopped(self, data: clocks.ClockMet | clocks.ClockMissed, _: News) -> None:
        self._recall({NoticeKind.WARNING}, Reason.CLOCK_STOPPED, data)

    @_apply.register
    def _cancelled(self, data: clocks.ClockCancelled, _: News) -> None:
        kinds = {NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.ESCALATION}
        self._recall(kinds, Reason.CLOCK_CANCELLED, data)

    # How

    def _end(self, outcome: str, kind: NoticeKind, cause: str, news: News) -> None:
        self.view = replace(self.view, outcome=outcome, pause_reasons=frozenset())
        self._recall({NoticeKind.EXPECTED_TIME_CHANGED}, Reason.SUPERSEDED)
        self._recall({NoticeKind.REMINDER, NoticeKind.DOCUMENTS_NEEDED}, Reason.WAIT_ENDED)
        self._plan(kind, cause, [CUSTOMER], Facts(outcome=outcome if kind is NoticeKind.CLOSED else None), news)

    def _expect(self, data: clocks.ClockPayload, due_at: datetime, news: News) -> None:
        if data.objective != EXPECTED_TIME_OBJECTIVE or due_at == self.view.expected_at:
            return
        previous = self.view.expected_at
        revision = self.view.expected_revision + 1
        self.view = replace(self.view, expected_at=due_at, expected_revision=revision)
        if previous is None or self.view.is_closed or self.view.submission is None:
            return
        if any(n.key.kind is NoticeKind.RECEIVED and n.is_recallable for n in self.notices.values()):
            return  # the confirmation has not gone; it will state the new time
        self._recall({NoticeKind.EXPECTED_TIME_CHANGED}, Reason.SUPERSEDED)
        is_in_flight = any(n.is_for_customer and n.is_live and n.was_perhaps_seen for n in self.notices.values())
        told = self.view.told_expected_at
        if due_at == told and not is_in_flight:
            return  # it moved and came back before anybody was told
        facts = Facts(expected_at=due_at, previous_expected_at=told or previous)
        self._plan(NoticeKind.EXPECTED_TIME_CHANGED, f"revision:{revision}", [CUSTOMER], facts, news)

    def _tell_roles(
        self,
        kind: NoticeKind,
        data: clocks.ClockWarned | clocks.ClockBreached | clocks.ClockEscalated,
        roles: Sequence[str],
        level: int,
        news: News,
    ) -> None:
        facts = Facts(objective=data.objective, level=level, due_at=data.due_at)
        audiences = [role_audience(role) for role in roles]
        self._plan(kind, _cause(data, kind, level, news), audiences, facts, news, data.cycle)

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

    def _recall(self, kinds: set[NoticeKind], reason: Reason, data: clocks.ClockPayload | None = None) -> None:
        """Withdraw what nobody can have seen yet; of one clock when ``data`` names it."""
        found = self._of_clock(kinds, data) if data else [n for n in self.notices.values() if n.key.kind in kinds]
        for notice in found:
            if notice.is_recallable:
                self.replace(moves.withdraw(notice, reason, self._now))

    def _of_clock(self, kinds: set[NoticeKind], data: clocks.ClockPayload) -> list[Notice]:
        prefix = f"{data.clock_id}:{data.cycle}:"
        return [n for n in self.notices.values() if n.key.kind in kinds and n.key.cause.startswith(prefix)]


def _asking(reason: str) -> str:
    """How the cause of asking for documents begins."""
    return f"paused:{reason}:"


def _cause(data: _WithDeadline, kind: str, level: int, news: News) -> str:
    """With the deadline for whoever reads it, and with the event's number: late news can withdraw a breach and later
    news bring it back at the very same deadline. An event that is heard again has the number it had.
    """
    return f"{data.clock_id}:{data.cycle}:{kind}:{level}:{data.due_at:%Y%m%dT%H%M%S.%fZ}:{news.sequence}"
