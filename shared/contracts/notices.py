"""What notifier says about a notice. Subject and key: the request id. Source: ``/punctual/notifier``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import NonNegativeInt

from shared.contracts.payload import Code, Instant, Language, Payload, ShortText


class NoticePayload(Payload):
    notice_id: UUID
    request_id: UUID
    kind: Code
    """``received``, ``warning``, ``breach``, ``escalation``, ..."""
    audience: Code
    """``customer`` or ``role:<name>``; never an address."""
    cause: ShortText
    """What makes the notice unique beside request, kind and audience, such as a clock's cycle and level."""


class NoticeSent(NoticePayload):
    """The relay took the message."""

    TYPE: ClassVar[str] = "punctual.notice.sent"

    channel: Code
    language: Language
    sent_at: Instant
    told_expected_at: Instant | None = None


class NoticeFailed(NoticePayload):
    """The message cannot be delivered, or whether it was is in doubt and it may not be repeated."""

    TYPE: ClassVar[str] = "punctual.notice.failed"

    channel: Code
    reason: Code


class NoticeSuppressed(NoticePayload):
    """The notice will not be sent, for a reason that is recorded."""

    TYPE: ClassVar[str] = "punctual.notice.suppressed"

    reason: Code


class ContactErased(Payload):
    """All that notifier held on a customer is destroyed. Subject and key: the customer id, told once for each."""

    TYPE: ClassVar[str] = "punctual.contact.erased"

    customer_id: UUID
    messages: NonNegativeInt
    """Mails that were kept and are deleted."""


PAYLOADS: tuple[type[Payload], ...] = (NoticeSent, NoticeFailed, NoticeSuppressed, ContactErased)
