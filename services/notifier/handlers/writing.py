"""Puts a ready notice into words and bytes, once."""

from __future__ import annotations

from datetime import datetime

from services.notifier.domain.notice import Notice
from services.notifier.domain.roles import RolesDirectory
from services.notifier.domain.views import Contact, RequestView
from services.notifier.domain.wording.mail import Sender, compose
from services.notifier.domain.wording.rendering import Wording
from services.notifier.domain.words import EMAIL, role_of
from services.notifier.store.personal import Rendering


class Writer:
    """Knows the wording, who writes, and who reads for a role."""

    def __init__(self, wording: Wording, sender: Sender, roles: RolesDirectory) -> None:
        self._wording = wording
        self._sender = sender
        self._roles = roles

    def write(self, notice: Notice, view: RequestView, contact: Contact | None, real_now: datetime) -> Rendering:
        """Raises:
        ValueError: the notice lacks what its words need, or a header would be unsafe.
        """
        submission = view.submission
        if submission is None:
            raise ValueError("the request is not known yet")
        role = role_of(notice.key.audience)
        if role is not None:
            recipients, language, name = self._roles[role].addresses, self._roles[role].language, ""
            customer_id = None
        elif contact is not None and contact.email is not None:
            recipients, language, name = (contact.email,), submission.language, contact.name or ""
            customer_id = contact.customer_id
        else:
            raise ValueError("there is no address")
        message = compose(
            self._wording.render(notice, submission, language, name),
            sender=self._sender,
            recipients=recipients,
            delivery=f"{notice.notice_id}:{EMAIL}:{notice.contact_version or 0}",
            date=real_now,
            correlation_id=notice.correlation_id,
        )
        return Rendering(notice.notice_id, language, recipients, message, customer_id)
