"""Whether a notice may go out now, what it waits for, or why it never will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain import notice as moves
from services.notifier.domain.addresses import is_deliverable
from services.notifier.domain.notice import Notice
from services.notifier.domain.roles import RolesDirectory
from services.notifier.domain.views import Contact, RequestView
from services.notifier.domain.words import NoticeKind, NoticeState, Reason, role_of


@dataclass(frozen=True, slots=True)
class Settled:
    """Attributes:
    needs_words: the notice became ready and has to be rendered (again).
    """

    notice: Notice
    needs_words: bool = False


def settle(
    notice: Notice,
    view: RequestView,
    contact: Contact | None,
    roles: RolesDirectory,
    *,
    now: datetime,
    real_now: datetime,
) -> Settled:
    """Bring a notice that nobody can have seen into the state that the projections call for."""
    if not notice.is_recallable:
        return Settled(_forget_resend(notice, contact, now))
    waits = _waits_for(notice, view, contact)
    if waits is not None:
        return Settled(notice if notice.reason == waits else moves.hold(notice, waits))
    obstacle = _obstacle(notice, contact, roles)
    if obstacle is not None:
        return Settled(moves.suppress(notice, obstacle, now))
    version = contact.version if contact is not None and notice.is_for_customer else None
    told = _told(notice, view)
    is_settled = notice.state in {NoticeState.READY, NoticeState.SENDING}
    if is_settled and notice.contact_version == version and notice.told_expected_at == told:
        return Settled(notice)
    return Settled(moves.make_ready(notice, real_now, contact_version=version, told_expected_at=told), needs_words=True)


def _forget_resend(notice: Notice, contact: Contact | None, now: datetime) -> Notice:
    if notice.is_repeat_waiting and notice.is_for_customer and contact is not None and contact.is_erased:
        return moves.give_up(notice, Reason.ERASED, now)
    return notice


def _waits_for(notice: Notice, view: RequestView, contact: Contact | None) -> Reason | None:
    if view.submission is None:
        return Reason.WAITING_REQUEST
    if not notice.is_for_customer:
        return None
    if contact is None or (contact.version == 0 and not contact.is_erased):
        return Reason.WAITING_CONTACT
    is_confirmation = notice.key.kind is NoticeKind.RECEIVED
    if is_confirmation and view.expected_at is None and not view.is_closed and not contact.is_erased:
        return Reason.WAITING_EXPECTED_TIME  # over, it goes without one: before the news of the end, whatever comes
    return None


def _obstacle(notice: Notice, contact: Contact | None, roles: RolesDirectory) -> Reason | None:
    role = role_of(notice.key.audience)
    if role is not None:
        return None if role in roles else Reason.UNKNOWN_ROLE
    if contact is None or contact.is_erased:
        return Reason.ERASED
    if contact.email is None:
        return Reason.NO_ADDRESS
    return None if is_deliverable(contact.email) else Reason.BAD_ADDRESS


def _told(notice: Notice, view: RequestView) -> datetime | None:
    if notice.key.kind is NoticeKind.RECEIVED:
        return view.expected_at
    return notice.facts.expected_at
