"""Events about notices that ended and customers who were erased, appended in the transaction that does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from services.notifier.domain.announcing import announce
from services.notifier.domain.news import ErasureNews
from services.notifier.domain.notice import Notice
from services.notifier.domain.views import RequestView
from services.notifier.domain.words import NoticeState
from shared.contracts.envelope import Event
from shared.contracts.notices import ContactErased
from shared.contracts.payload import Language, Payload
from shared.ids import new_id
from shared.telemetry.context import Trace, child
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

SOURCE = "/punctual/notifier"

NOTICES = Counter("punctual_notifier_notices_total", "Notices by kind that entered a state.", ["kind", "state"])


def say(
    views: dict[UUID, RequestView], ended: Sequence[Notice], languages: Mapping[UUID, Language], now: datetime
) -> list[Event[Payload]]:
    """One event per ended notice; raises the sequences in ``views``, whose rows the caller has locked.

    Logs what some never got. A transaction that has to be repeated logs it again.
    """
    events: list[Event[Payload]] = []
    for notice in ended:
        if notice.state is NoticeState.SENT and notice.remaining is not None:
            _log.warning("given up for some", notice_id=str(notice.notice_id), recipients=len(notice.remaining))
        request_id = notice.key.request_id
        view, payload = announce(views[request_id], notice, languages.get(notice.notice_id), now)
        views[request_id] = view
        events.append(
            Event(
                id=new_id(),
                source=SOURCE,
                subject=request_id,
                sequence=view.notice_sequence,
                occurred_at=now,
                recorded_at=now,
                correlation_id=notice.correlation_id,
                traceparent=child(Trace(notice.correlation_id, notice.traceparent)).traceparent,
                data=payload,
            )
        )
    return events


def say_erased(erasures: Iterable[ErasureNews], mails: Mapping[UUID, int], now: datetime) -> Iterator[Event[Payload]]:
    """One event per customer, the only one that is ever said about them; the caller has locked their contacts.

    Args:
        mails: how many were deleted.
    """
    for erasure in erasures:
        yield Event(
            id=new_id(),
            source=SOURCE,
            subject=erasure.customer_id,
            sequence=1,
            occurred_at=now,
            recorded_at=now,
            correlation_id=erasure.correlation_id,
            traceparent=child(Trace(erasure.correlation_id, erasure.traceparent)).traceparent,
            data=ContactErased(customer_id=erasure.customer_id, messages=mails[erasure.customer_id]),
        )


def count_moves(before: Mapping[UUID, Notice], after: Sequence[Notice]) -> None:
    """Count every notice whose state is another than before. A batch that has to be repeated counts again."""
    for notice in after:
        former = before.get(notice.notice_id)
        if former is None or former.state is not notice.state:
            NOTICES.labels(notice.key.kind, notice.state).inc()
