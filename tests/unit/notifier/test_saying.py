"""What is said and logged of notices that ended."""

from __future__ import annotations

from structlog.testing import capture_logs

from services.notifier.domain.notice import overtake
from services.notifier.domain.words import NoticeKind, NoticeState
from services.notifier.handlers.saying import say
from shared.contracts.payload import Language
from tests.unit.notifier.samples import NOW, REAL, REQUEST, TOLD, notice


def test_the_log_says_whom_a_notice_never_reached_whatever_ended_it() -> None:
    partly = notice(
        NoticeKind.BREACH, "role:head", state=NoticeState.READY, attempt=1, remaining=(1, 2), attend_at=REAL
    )
    ended = overtake(partly, NOW)
    with capture_logs() as logs:
        (event,) = say({REQUEST: TOLD}, [ended], {ended.notice_id: Language.ENGLISH}, NOW)
    assert event.data.TYPE == "punctual.notice.sent"
    assert [(line["event"], line["recipients"]) for line in logs] == [("given up for some", 2)]


def test_a_notice_that_reached_everybody_is_not_logged() -> None:
    sent = notice(NoticeKind.BREACH, "role:head", state=NoticeState.SENT, ended_at=NOW)
    with capture_logs() as logs:
        say({REQUEST: TOLD}, [sent], {sent.notice_id: Language.ENGLISH}, NOW)
    assert logs == []
