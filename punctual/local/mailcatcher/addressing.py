"""Which mail, and which mails, a URL asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from punctual.local.mailcatcher.mailbox import Entry, Mailbox
from shared.http import Problem

_MAX_ID = 2**53  # what JSON numbers carry exactly

MailId = Annotated[int, Path(ge=0, le=_MAX_ID)]
Before = Annotated[int | None, Query(ge=1, le=_MAX_ID, description="Only ids below this one")]
After = Annotated[int, Query(ge=0, le=_MAX_ID, description="Only ids above this one")]
Containing = Annotated[
    str, Query(alias="q", max_length=200, description="Only mails whose subject, addresses or Message-ID have this")
]
Limit = Annotated[int | None, Query(ge=1, le=1_000_000, description="At most so many; all when not given")]


def entry_of(mailbox: Mailbox, mail_id: int) -> Entry:
    """
    Raises:
        Problem: 404.
    """
    found = mailbox.entry(mail_id)
    if found is None:
        raise Problem(404, "mail_not_found", "There is no such mail")
    return found
