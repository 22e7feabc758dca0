"""The mails kept: a small index in memory, everything else in the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from punctual.local.mailcatcher.journal import Journal, Place
from punctual.local.mailcatcher.reading import ReadMail, read_mail
from shared.contracts.envelope import format_instant

_SUBJECT_LENGTH = 200  # what a line of the list shows; the journal has the whole


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail in the index.

    Attributes:
        id: 1, 2, 3, ... in the order of arrival.
        to: the addresses of the envelope, which decide who receives it.
        received_at: RFC 3339, real time, UTC.
    """

    id: int
    received_at: str
    mail_from: str
    to: tuple[str, ...]
    subject: str
    message_id: str
    place: Place

    def contains(self, needle: str) -> bool:
        return needle in " ".join((self.subject, self.mail_from, self.message_id, *self.to)).lower()


class Mailbox:
    """Newest first. Reading costs one small read per mail; the number of mails kept does not matter."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entries: dict[int, Entry] = {}  # in order of id
        self._last_id = 0
        for head, place in journal.recover():
            self._take(json.loads(head), place)

    @property
    def count(self) -> int:
        return len(self._entries)

    async def keep(self, mail_from: str, to: Sequence[str], raw: bytes, received_at: datetime) -> int:
        """Store a mail durably and give its id.

        Raises:
            OSError: the disk did not take it.
        """
        mail = read_mail(raw)
        self._last_id += 1
        head = _head(self._last_id, mail_from, to, mail, format_instant(received_at))
        place = await self._journal.append(json.dumps(head, ensure_ascii=False).encode(), raw)
        self._take(head, place)
        return int(head["id"])

    async def clear(self) -> None:
        """Forget all mails; ids go on, so that who asks for mails after an id misses none."""
        await self._journal.clear(json.dumps({"cleared_after": self._last_id}).encode())
        self._entries = {i: entry for i, entry in self._entries.items() if self._journal.holds(entry.place)}

    def newest(self, *, before: int | None = None, after: int = 0, containing: str = "") -> Iterator[Entry]:
        """Newest first, of ids below ``before`` and above ``after``, that mention ``containing``."""
        needle = containing.strip().lower()
        for entry in reversed(list(self._entries.values())):
            if entry.id <= after:
                return
            if not self._journal.holds(entry.place):  # cleared since
                continue
            if (before is None or entry.id < before) and (not needle or entry.contains(needle)):
                yield entry

    def page(self, size: int, *, before: int | None, containing: str) -> tuple[list[Entry], bool]:
        """One page, and whether older mails follow."""
        found = list(islice(self.newest(before=before, containing=containing), size + 1))
        return found[:size], len(found) > size

    def entry(self, mail_id: int) -> Entry | None:
        found = self._entries.get(mail_id)
        return found if found is not None and self._journal.holds(found.place) else None

    def details(self, entry: Entry) -> dict[str, Any]:
        """Envelope, text and headers as JSON types; names of headers in lower case."""
        details: dict[str, Any] = json.loads(self._journal.head(entry.place))
        return details

    def raw(self, entry: Entry) -> bytes:
        return self._journal.body(entry.place)

    def _take(self, head: dict[str, Any], place: Place) -> None:
        if "cleared_after" in head:
            self._last_id = max(self._last_id, head["cleared_after"])
            return
        self._last_id = max(self._last_id, head["id"])
        self._entries[head["id"]] = Entry(
            id=head["id"],
            received_at=head["received_at"],
            mail_from=head["mail_from"],
            to=tuple(head["to"]),
            subject=head["subject"][:_SUBJECT_LENGTH],
            message_id=head["message_id"],
            place=place,
        )


def _head(mail_id: int, mail_from: str, to: Sequence[str], mail: ReadMail, received_at: str) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for written_name, value in mail.headers:
        name = written_name.lower()
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    return {
        "id": mail_id,
        "message_id": mail.header("Message-ID"),
        "mail_from": _encodable(mail_from),
        "to": [_encodable(address) for address in to],
        "subject": mail.header("Subject"),
        "received_at": received_at,
        "headers": headers,
        "text": mail.text,
        "attachments": [{"name": a.name, "content_type": a.content_type, "size": a.size} for a in mail.attachments],
    }


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
