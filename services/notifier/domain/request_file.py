"""A request with its live notices: hears news and decides which notices there shall be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import singledispatchmethod

from services.notifier.domain import notice as moves
from services.notifier.domain.causes import asking, cause_of, number_of
from services.notifier.domain.news import News
from services.notifier.domain.notice import Facts
from services.notifier.domain.notice_file import NoticeFile
from services.notifier.domain.views import Submission
from services.notifier.domain.words import CUSTOMER, EXPECTED_TIME_OBJECTIVE, NoticeKind, Reason, role_audience
from shared.contracts import casework, clocks, requests
from shared.contracts.payload import Payload

_RESET = "reset"
"""Why a deadline moves whose count begins anew; every warning comes again."""


class RequestFile(NoticeFile):
    """Hears what was said about one request."""

    def hear(self, news: News) -> None:
        """Apply one event. Types that change nothing here are passed over."""
        self._apply(news.data, news)

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
    def _process_changed(self, data: casework.RequestProcessChanged, _: News) -> None:
        if data.from_stage is not None:  # else it stays at its stage
            self._recall({NoticeKind.REMINDER}, Reason.WAIT_ENDED)
            self.view = replace(self.view, stage=data.stage)

    @_apply.register
    def _reminded(self, data: casework.RequestReminded, news: News) -> None:
        """A newer reminder of a rule takes the place of those that did not go."""
        if self.view.is_closed:
            return  # from a dead letter: nobody waits any more
        of_rule = f"{data.rule}:{data.stage_entry}:"
        for notice in self._of({NoticeKind.REMINDER}):
            if notice.key.cause.startswith(of_rule) and (notice.facts.level or 0) < data.number:
                self._take_back(notice, Reason.SUPERSEDED)
        facts = Facts(stage=data.stage, level=data.number, entered_at=data.entered_at)
        audiences = [role_audience(role) for role in data.notify_roles]
        self._plan(NoticeKind.REMINDER, f"{of_rule}{data.number}", audiences, facts, news)

    @_apply.register
    def _paused(self, data: requests.RequestPaused, news: News) -> None:
        self._recall({NoticeKind.REMINDER}, Reason.WAIT_ENDED)
        self.view = replace(self.view, pause_reasons=self.view.pause_reasons | {data.reason})
        if data.documents and not self.view.is_closed:
            # Two may be asked for at one instant: not every source has seconds.
            cause = f"{asking(data.reason)}{news.occurred_at:%Y%m%dT%H%M%S.%fZ}:{news.sequence}"
            self._plan(NoticeKind.DOCUMENTS_NEEDED, cause, [CUSTOMER], Facts(documents=data.documents), news)

    @_apply.register
    def _resumed(self, data: requests.RequestResumed, _: News) -> None:
        self.view = replace(self.view, pause_reasons=self.view.pause_reasons - {data.reason})
        for notice in self._of({NoticeKind.DOCUMENTS_NEEDED}):
            if notice.key.cause.startswith(asking(data.reason)):
                self._take_back(notice, Reason.WAIT_ENDED)

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
        self.view = replace(self.view, outcome=None, cycle=self.view.cycle + 1, reopened_at=news.occurred_at)
        self._overtake(self._of({NoticeKind.CLOSED, NoticeKind.CANCELLED, NoticeKind.MERGED}))
        self._plan(NoticeKind.REOPENED, "reopening", [CUSTOMER], Facts(), news)
        self._tell_expected(news)  # the clock may have started again before we heard why

    # What clocks say

    @_apply.register
    def _started(self, data: clocks.ClockStarted, news: News) -> None:
        self._expect(data, data.due_at, news)

    @_apply.register
    def _paused_clock(self, data: clocks.ClockPaused, _: News) -> None:
        self._unwarn(data)

    @_apply.register
    def _resumed_clock(self, data: clocks.ClockResumed, news: News) -> None:
        self._recall({NoticeKind.PAUSE_OVERRUN}, Reason.PAUSE_ENDED, data)
        self._move(data, news)

    @_apply.register
    def _retargeted(self, data: clocks.ClockRetargeted, news: News) -> None:
        if data.reason == _RESET:
            self._recall({NoticeKind.WARNING}, Reason.DEADLINE_MOVED, data)
        self._move(data, news)

    @_apply.register
    def _warned(self, data: clocks.ClockWarned, news: News) -> None:
        """A newer warning of a level takes the place of one that did not go."""
        cause = cause_of(data, NoticeKind.WARNING, data.level, data.due_at, news)
        for notice in self._of_clock({NoticeKind.WARNING}, data):
            is_older = notice.facts.level == data.level and notice.caused_at <= news.occurred_at
            if is_older and notice.key.cause != cause:
                self._take_back(notice, Reason.SUPERSEDED)
        self._tell_roles(NoticeKind.WARNING, data, data.notify_roles, data.level, news)

    @_apply.register
    def _breached(self, data: clocks.ClockBreached, news: News) -> None:
        self._overtake(self._of_clock({NoticeKind.BREACH_WITHDRAWN}, data))
        self._tell_roles(NoticeKind.BREACH, data, data.notify_roles, 0, news)

    @_apply.register
    def _escalated(self, data: clocks.ClockEscalated, news: News) -> None:
        self._tell_roles(NoticeKind.ESCALATION, data, data.notify_roles, data.level, news)

    @_apply.register
    def _pause_overrun(self, data: clocks.ClockPauseOverrun, news: News) -> None:
        facts = Facts(objective=data.objective, level=data.level, paused_at=data.paused_at, pause_reason=data.reason)
        audiences = [role_audience(role) for role in data.notify_roles]
        cause = cause_of(data, NoticeKind.PAUSE_OVERRUN, data.level, data.paused_at, news)
        self._plan(NoticeKind.PAUSE_OVERRUN, cause, audiences, facts, news, data.cycle)

    @_apply.register
    def _breach_withdrawn(self, data: clocks.ClockBreachWithdrawn, news: News) -> None:
        kinds = {NoticeKind.BREACH, NoticeKind.ESCALATION}
        self._recall(kinds, Reason.BREACH_WITHDRAWN, data)
        corrected: dict[str, int] = {}
        for former in self._of_clock({NoticeKind.BREACH_WITHDRAWN}, data):
            if number_of(former):  # else it does not tell which breaches it took back
                corrected[former.key.audience] = max(number_of(former), corrected.get(former.key.audience, -1))
        seen = [n for n in self._of_clock(kinds, data) if n.was_perhaps_seen]
        told = sorted({n.key.audience for n in seen if number_of(n) > corrected.get(n.key.audience, -1)})
        facts = Facts(objective=data.objective, due_at=data.due_at, stopped_at=data.stopped_at)
        self._plan(
            NoticeKind.BREACH_WITHDRAWN,
            cause_of(data, NoticeKind.BREACH_WITHDRAWN, 0, data.due_at, news),
            told,
            facts,
            news,
            data.cycle,
        )

    @_apply.register
    def _stopped(self, data: clocks.ClockMet | clocks.ClockMissed, _: News) -> None:
        self._recall({NoticeKind.WARNING, NoticeKind.PAUSE_OVERRUN}, Reason.CLOCK_STOPPED, data)

    @_apply.register
    def _cancelled(self, data: clocks.ClockCancelled, _: News) -> None:
        kinds = {NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.ESCALATION, NoticeKind.PAUSE_OVERRUN}
        self._recall(kinds, Reason.CLOCK_CANCELLED, data)

    # How

    def _move(self, data: clocks.ClockResumed | clocks.ClockRetargeted, news: News) -> None:
        """A warning that did not go names the new deadline, unless it comes again; one that some have names the old one
        to nobody else.
        """
        self._unwarn(data)
        for notice in self._of_clock({NoticeKind.WARNING}, data):
            if notice.facts.due_at == data.due_at:
                continue
            if notice.is_recallable:
                self.replace(moves.restate(notice, replace(notice.facts, due_at=data.due_at)))
            elif notice.is_partly_sent:
                self._overtake([notice])
        self._expect(data, data.due_at, news)

    def _unwarn(self, data: clocks.ClockPaused | clocks.ClockResumed | clocks.ClockRetargeted) -> None:
        """Take back the warnings that have not come after all; each comes again."""
        for notice in self._of_clock({NoticeKind.WARNING}, data):
            if notice.facts.level in data.withdrawn_warnings:
                self._take_back(notice, Reason.DEADLINE_MOVED)

    def _end(self, outcome: str, kind: NoticeKind, cause: str, news: News) -> None:
        ended_cycle = min(self.view.expected_cycle, self.view.cycle)  # a later one only overtook the news of the end
        self.view = replace(self.view, outcome=outcome, pause_reasons=frozenset(), ended_cycle=ended_cycle)
        self._recall({NoticeKind.EXPECTED_TIME_CHANGED}, Reason.SUPERSEDED)
        self._recall({NoticeKind.REMINDER, NoticeKind.DOCUMENTS_NEEDED}, Reason.WAIT_ENDED)
        self._overtake(self._of({NoticeKind.REOPENED}))
        for notice in self._of({NoticeKind.PAUSE_OVERRUN}):
            if notice.caused_at <= news.occurred_at:  # else of a clock after the reopening, heard before this end
                self._take_back(notice, Reason.WAIT_ENDED)
        self._plan(kind, cause, [CUSTOMER], Facts(outcome=outcome if kind is NoticeKind.CLOSED else None), news)

    def _expect(self, data: clocks.ClockPayload, due_at: datetime, news: News) -> None:
        former = self.view
        if data.objective != EXPECTED_TIME_OBJECTIVE or data.cycle < former.expected_cycle:
            return  # of a cycle that is over, told late
        started_at = former.expected_started_at if data.cycle == former.expected_cycle else None
        if isinstance(data, clocks.ClockStarted):
            started_at = data.started_at
        self.view = replace(former, expected_cycle=data.cycle, expected_started_at=started_at)
        if due_at == former.expected_at and former.expected_cycle in (0, data.cycle):
            return
        self.view = replace(self.view, expected_at=due_at, expected_revision=former.expected_revision + 1)
        if former.expected_at is not None or former.cycle > 1:  # the first time is for the confirmation to state
            self._tell_expected(news)

    def _tell_expected(self, news: News) -> None:
        """Tell the customer when it will be finished, unless they know or the request is over."""
        view = self.view
        if view.is_closed or view.submission is None or view.expected_at is None:
            return
        if view.is_expected_of_before:
            return  # of the time before the reopening; the new one comes
        if any(n.key.kind is NoticeKind.RECEIVED and n.is_recallable for n in self.notices.values()):
            return  # the confirmation has not gone; it will state the new time
        in_flight = [n for n in self.notices.values() if n.is_for_customer and n.is_live and n.was_perhaps_seen]
        self._recall({NoticeKind.EXPECTED_TIME_CHANGED}, Reason.SUPERSEDED)  # also what was perhaps seen and waits
        told = [view.told_expected_at, *(n.told_expected_at for n in reversed(in_flight))]
        known = [at for at in told if at is not None]
        if known and all(at == view.expected_at for at in known):
            return  # it moved and came back before anybody was told
        previous = next((at for at in known if at != view.expected_at), None)
        facts = Facts(expected_at=view.expected_at, previous_expected_at=previous)
        cause = f"revision:{view.expected_revision}"
        self._plan(NoticeKind.EXPECTED_TIME_CHANGED, cause, [CUSTOMER], facts, news)

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
        self._plan(kind, cause_of(data, kind, level, data.due_at, news), audiences, facts, news, data.cycle)
