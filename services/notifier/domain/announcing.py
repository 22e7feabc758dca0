"""What the notifier says about a notice that ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.notifier.domain.notice import Notice
from services.notifier.domain.views import RequestView
from services.notifier.domain.words import EMAIL, NoticeKind, NoticeState
from shared.contracts.notices import NoticeFailed, NoticePayload, NoticeSent, NoticeSuppressed
from shared.contracts.payload import Language


def announce(
    view: RequestView, notice: Notice, language: Language | None, now: datetime
) -> tuple[RequestView, NoticePayload]:
    """The view with the next sequence, and the payload to say under it.

    Args:
        language: of the words that were sent; needed for a sent notice only.
    """
    key = notice.key
    identity = {
        "notice_id": notice.notice_id,
        "request_id": key.request_id,
        "kind": key.kind.value,
        "audience": key.audience,
        "cause": key.cause,
    }
    view = replace(view, notice_sequence=view.notice_sequence + 1)
    match notice.state:
        case NoticeState.SENT:
            # A resend states what was true when it was first rendered; it never overrules what was told since.
            if notice.told_expected_at is not None and not (notice.is_resend and view.told_expected_at is not None):
                view = replace(view, told_expected_at=notice.told_expected_at)
            return view, NoticeSent(
                **identity, channel=EMAIL, language=language, sent_at=now, told_expected_at=notice.told_expected_at
            )
        case NoticeState.FAILED:
            if notice.key.kind is NoticeKind.EXPECTED_TIME_CHANGED and notice.was_perhaps_seen:
                view = replace(view, told_expected_at=None)  # nobody knows; a return to the former time is told, too
            return view, NoticeFailed(**identity, channel=EMAIL, reason=notice.reason)
        case _:
            return view, NoticeSuppressed(**identity, reason=notice.reason)
