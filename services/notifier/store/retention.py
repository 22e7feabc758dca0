"""Mails that are not needed any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.notifier.store.statements import STATEMENTS
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Deleted:
    """Attributes:
    notices: that were looked after; fewer than asked for when there are no more.
    mails: of these that were still kept.
    """

    notices: int
    mails: int


async def delete_old_mails(connection: Connection, before: datetime, count: int) -> Deleted:
    """Args:
    before: business instant; what ended earlier is old.
    """
    row = await STATEMENTS["delete_old_mails"].fetchrow(connection, before=before, count=count)
    assert row is not None  # it counts
    return Deleted(row["notices"], row["mails"])
